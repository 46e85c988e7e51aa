// A room's Durable Object: numbers, saves and delivers publications, and keeps the room's presence. This class connects
// the object's RPC methods to its parts (room-parts.ts), which decide everything.

import { HubError, publicError } from "../../model/errors.ts";
import type { Position } from "../../model/topic.ts";
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
    super(ctx, env, { receiver, build: roomParts });
  }

  protected override async begin(socket: WebSocket, request: Request): Promise<Connection> {
    const arrival = arrivalOf<RoomArrival>(request);
    await this.admissions.begin(arrival.user);
    const connection = enterRoom(this.parts, socket, arrival);
    this.inBackground(this.welcome(connection));
    return connection;
  }

  /** Not by default: it would cost a follow for each user. */
  protected override get reachesUsers(): boolean {
    return this.parts.settings.reachUsers ?? false;
  }

  /**
   * Webhooks get `disconnected` before the user's `left`, and presence changes before the hook `disconnected` runs. A
   * socket that closed asleep was not counted in this wake: after a loss its user's row leaves by the grace.
   */
  protected override left(connection: Connection, error: Error | undefined, asleep: boolean): void {
    super.left(connection, error, asleep);
    const how = isDeliberate(connection, error) ? "left" : "set";
    this.parts.presence.addOwn(connection.user.id, asleep ? 0 : -1, how);
  }

  publish(draft: Draft): Promise<Position> {
    return this.parts.publisher.appendAndSave(draft);
  }

  publishAll(drafts: readonly Draft[]): Promise<readonly (Position | Fault)[]> {
    return this.parts.publisher.appendAllAndSave(drafts);
  }

  /** Queued publications are written to the log before it is read: live batches go on after the position given here. */
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

  /** Throws `forbidden` where the user is absent, and `too_large`. */
  async track(userId: string, state: unknown): Promise<void> {
    this.parts.own.track(userId, state);
  }

  /** The position is read in the same turn in which the follower is added: no entry is missing, none comes twice. */
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

  /** In every object that holds connections of the room; gives how many were selected. Throws as `askMany` does. */
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

  /** Also where the storage cannot be read: then all of it is deleted. */
  async erase(): Promise<Position> {
    try {
      return eraseRoom(this.parts);
    } catch (error) {
      if (publicError(error).code !== "storage_corrupt") throw error;
      await this.heal();
      return this.parts.log.position;
    }
  }

  async info(): Promise<RoomInfo> {
    const { log, outbox, rate, presence } = this.parts;
    outbox.flush(); // Queued publications count.
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

  /** Only in a hub's `all` room. Throws `wrong_kind` elsewhere. */
  get #index(): HubIndex {
    const { index } = this.parts;
    if (!index) throw new HubError("wrong_kind", "The index of a hub is in its room `all`.");
    return index();
  }
}
