// A room's Durable Object: numbers what is said in it, keeps and delivers it, knows who is there. Nothing is decided
// here; its parts do.

import { HubError } from "../../model/errors.ts";
import type { Position } from "../../model/position.ts";
import { enterRoom, missedSince } from "./enter-room.ts";
import { arrivalOf, type RoomArrival } from "../rpc/arrival.ts";
import type { Command, Selection } from "../rpc/command.ts";
import type { Connection } from "../connection/connection.ts";
import { connectionsIn } from "../object/members.ts";
import type { ConnectionsPage, ConnectionsQuery } from "../rpc/members-page.ts";
import { HubObject } from "../object/hub-object.ts";
import type { HubIndex } from "./hub-index.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";
import type { Fault } from "../rpc/fault.ts";
import type { MemberCount, RoomRpc, RoomInfo } from "../rpc/room-rpc.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type { Draft, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import { clearHistory, eraseRoom } from "./erase-room.ts";
import type { Report } from "../rpc/activity-report.ts";
import { RoomParts } from "./room-parts.ts";
import { askMany } from "../platform/ask-many.ts";

export class RoomObject<Env extends ObjectEnv = ObjectEnv>
  extends HubObject<Env, RoomParts>
  implements RoomRpc
{
  protected override assemble(): RoomParts {
    return new RoomParts(this.ctx, this.env, this.receiver, {
      dropped: (connection, why) => this.gone(connection, why),
      presenceChanged: (joined, left) =>
        this.inBackground(this.receiver.presenceChanged(this.host, joined, left)),
    });
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

  protected override left(connection: Connection, error: Error | undefined, asleep: boolean): void {
    if (!asleep) this.parts.roster.own(connection.user.id, -1);
    super.left(connection, error, asleep);
  }

  publish(draft: Draft): Promise<Position> {
    return this.parts.publisher.publishSaved(draft);
  }

  publishAll(drafts: readonly Draft[]): Promise<readonly (Position | Fault)[]> {
    return this.parts.publisher.publishAllSaved(drafts);
  }

  /** What was said is in the log before anybody asks for it. */
  async missed(since: Position | undefined): Promise<HistoryView> {
    this.parts.outbox.flush();
    return missedSince(this.parts, since, Date.now());
  }

  async history(query: HistoryQuery): Promise<HistoryView> {
    return this.host.history(this.parts.topic, query);
  }

  async presence(query: PresenceQuery): Promise<PresenceView> {
    return this.host.presence(this.parts.topic, query);
  }

  async track(userId: string, state: unknown): Promise<void> {
    return this.host.track(userId, this.parts.topic, state);
  }

  async follow(follower: string, members: readonly MemberCount[]): Promise<Position> {
    this.parts.followers.add(follower, members);
    if (members.length > 0) this.parts.active();
    for (const [userId, connections] of members)
      this.parts.roster.set(follower, userId, connections);
    return this.parts.log.position;
  }

  async unfollow(follower: string): Promise<void> {
    this.parts.followers.remove(follower);
  }

  /** To the room's connections, wherever they are; gives how many were meant. Throws what they throw. */
  async everywhere(selection: Selection, commands: readonly Command[]): Promise<number> {
    const { room, followers, peers } = this.parts;
    const here = await this.command({ ...selection, room }, commands);
    const elsewhere = await askMany(followers.names, (follower) =>
      peers(follower).command({ ...selection, room }, commands),
    );
    return elsewhere.reduce((sum, { matched }) => sum + matched, here.matched);
  }

  async connectionsIn(query: ConnectionsQuery): Promise<ConnectionsPage> {
    return connectionsIn(this.parts, (asked) => this.membersIn(asked), query);
  }

  async clear(): Promise<void> {
    clearHistory(this.parts, Date.now());
  }

  async erase(): Promise<Position> {
    return eraseRoom(this.parts);
  }

  async info(): Promise<RoomInfo> {
    const { log, outbox, rate, roster } = this.parts;
    outbox.flush(); // What was said counts.
    const { connections, users } = roster;
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
