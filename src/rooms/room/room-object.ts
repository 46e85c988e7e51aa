// A room's Durable Object: numbers what is published in it, keeps and delivers it, and knows who is present. Nothing is
// decided here; its parts do.

import { HubError } from "../../model/errors.ts";
import type { Position } from "../../model/position.ts";
import { isDeliberate, type Connection } from "../connection/connection.ts";
import type { Receiver } from "../object/host.ts";
import { HubObject } from "../object/hub-object.ts";
import { askMany } from "../platform/ask-many.ts";
import type { Report } from "../rpc/activity-report.ts";
import { arrivalOf, type RoomArrival } from "../rpc/arrival.ts";
import type { Command, Selection } from "../rpc/command.ts";
import type { Fault } from "../rpc/fault.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";
import type { Draft, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { ConnectionsPage, ConnectionsQuery } from "../rpc/members-page.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import type { MemberCount, RoomInfo, RoomRpc } from "../rpc/room-rpc.ts";
import { connectionsPage } from "./connections-page.ts";
import { enterRoom, missedSince } from "./enter-room.ts";
import { clearHistory, eraseRoom } from "./erase-room.ts";
import type { HubIndex } from "./hub-index.ts";
import { roomParts, type RoomParts } from "./room-parts.ts";

export class RoomObject<Env extends ObjectEnv = ObjectEnv>
  extends HubObject<Env, RoomParts>
  implements RoomRpc
{
  constructor(ctx: DurableObjectState, env: Env, receiver: Receiver) {
    super(ctx, env, receiver, (events) => roomParts(ctx, env, receiver, events));
  }

  protected override async begin(socket: WebSocket, request: Request): Promise<Connection> {
    const arrival = arrivalOf<RoomArrival>(request);
    await this.admissions.begin(arrival.user);
    const connection = enterRoom(this.parts, socket, arrival, Date.now());
    this.inBackground(this.welcome(connection));
    return connection;
  }

  protected override get reachesUsers(): boolean {
    return this.parts.settings.reachUsers ?? false;
  }

  /** Webhooks hear of the connection before they hear of its user; presence changes before `disconnected` runs. */
  protected override left(connection: Connection, error: Error | undefined, asleep: boolean): void {
    super.left(connection, error, asleep);
    const how = isDeliberate(connection, error) ? "left" : "set";
    this.parts.presence.own(connection.user.id, asleep ? 0 : -1, how);
  }

  publish(draft: Draft): Promise<Position> {
    return this.parts.publisher.appendAndSave(draft);
  }

  publishAll(drafts: readonly Draft[]): Promise<readonly (Position | Fault)[]> {
    return this.parts.publisher.appendAllAndSave(drafts);
  }

  /** Everything published until now is in the log before it is read. */
  async missed(since: Position | undefined): Promise<HistoryView> {
    this.parts.outbox.flush();
    return missedSince(this.parts, since, Date.now());
  }

  async history(query: HistoryQuery): Promise<HistoryView> {
    return this.parts.own.history(query);
  }

  async presence(query: PresenceQuery): Promise<PresenceView> {
    return this.parts.own.presence(query);
  }

  async track(userId: string, state: unknown): Promise<void> {
    this.parts.own.track(userId, state);
  }

  async follow(follower: string, members: readonly MemberCount[]): Promise<Position> {
    const { activity, followers, log, presence } = this.parts;
    followers.add(follower, members);
    if (members.length > 0) activity.note();
    for (const [userId, connections, how = "set"] of members)
      presence[how](follower, userId, connections);
    return log.position;
  }

  async unfollow(follower: string, left: readonly string[] = []): Promise<void> {
    const { followers, presence } = this.parts;
    for (const userId of left) presence.left(follower, userId, 0);
    followers.remove(follower);
  }

  /** In every object that holds connections of the room; gives how many were selected. Throws the first failure. */
  async everywhere(selection: Selection, commands: readonly Command[]): Promise<number> {
    const { name: room, followers, stubs } = this.parts;
    const here = await this.command({ ...selection, room }, commands);
    const elsewhere = await askMany([...followers.links.keys()], (follower) =>
      stubs(follower).command({ ...selection, room }, commands),
    );
    return elsewhere.reduce((sum, { matched }) => sum + matched, here.matched);
  }

  async connectionsIn(query: ConnectionsQuery): Promise<ConnectionsPage> {
    return connectionsPage(this.parts, (own) => this.membersIn(own), query);
  }

  async clear(): Promise<void> {
    clearHistory(this.parts, Date.now());
  }

  async erase(): Promise<Position> {
    return eraseRoom(this.parts);
  }

  async info(): Promise<RoomInfo> {
    const { log, outbox, rate, presence } = this.parts;
    outbox.flush(); // Publications that wait count.
    const { connections, users } = presence;
    return { position: log.position, connections, users, rate: rate.perSecond(Date.now()) };
  }

  async report(name: string, report: Report): Promise<void> {
    this.#index.report(name, report, Date.now());
  }

  async rooms(query: RoomsQuery): Promise<RoomsView> {
    return this.#index.rooms(query);
  }

  async relays(query: RoomsQuery): Promise<RoomsView> {
    return this.#index.relays(query);
  }

  async metrics(): Promise<HubMetrics> {
    return this.#index.metrics(Date.now());
  }

  get #index(): HubIndex {
    const { index } = this.parts;
    if (!index) throw new HubError("wrong_kind", "The index of a hub is in its room `all`.");
    return index;
  }
}
