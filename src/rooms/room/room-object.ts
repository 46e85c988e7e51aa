// A room's Durable Object: numbers, saves and delivers publications, and keeps the room's presence. This class connects
// the object's RPC methods to its parts (room-parts.ts), which decide everything.

import { HubError, publicError } from "../../model/errors.ts";
import type { Position } from "../../model/topic.ts";
import { factsOf } from "../../model/user.ts";
import { isDeliberate, type Connection } from "../connection/connection.ts";
import { type End, HubObject } from "../object/hub-object.ts";
import type { ObjectCode } from "../object/object-parts.ts";
import { noState, viewOf, wholeOf } from "../object/state-access.ts";
import { askMany } from "../rpc/ask-many.ts";
import type { Report } from "../rpc/activity-report.ts";
import { arrivalOf, type RoomArrival } from "../rpc/arrival.ts";
import type { Command, Selection } from "../rpc/command.ts";
import { refusable, type Refused } from "../rpc/fault.ts";
import type { HubMetrics, RoomsQuery, RoomsView } from "../rpc/hub-metrics.ts";
import type { Draft, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { ConnectionsPage, ConnectionsQuery } from "../rpc/members-page.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import type {
  Delivery,
  FullFollow,
  FollowerPosition,
  MemberCount,
  PublishOutcomes,
  RoomInfo,
  RoomRpc,
  Traces,
} from "../rpc/room-rpc.ts";
import type { RunResult, Run, Scheduled, Snapshot } from "../rpc/state-rpc.ts";
import type { RoomState } from "../state/room-state.ts";
import { acceptFollower } from "./accept-follower.ts";
import { connectionsPage } from "./connections-page.ts";
import { enterRoom, missedAtJoin } from "./enter-room.ts";
import { clearHistory, eraseRoom } from "./erase-room.ts";
import type { HubIndex } from "./hub-index.ts";
import { refollowRelays, refollowReporter, refollowUncounted } from "./lost-followers.ts";
import { roomParts, type RoomParts } from "./room-parts.ts";
import { runDurably } from "./run-durably.ts";

export class RoomObject<Env extends ObjectEnv = ObjectEnv>
  extends HubObject<Env, RoomParts>
  implements RoomRpc
{
  constructor(ctx: DurableObjectState, env: Env, served: ObjectCode) {
    super(ctx, env, { ...served, build: roomParts });
  }

  protected override wake(): void {
    super.wake();
    const { retention, settings, topic } = this.parts;
    retention.begin(Date.now());
    if (topic.kind === "all" && settings.online) this.inBackground(refollowUncounted(this.parts));
  }

  protected override async begin(socket: WebSocket, request: Request): Promise<Connection> {
    const arrival = arrivalOf<RoomArrival>(request);
    this.parts.connections.inbound.checkCalm(arrival.user);
    await this.admissions.begin(arrival.user);
    const { state, userRoom } = this.parts;
    if (state) await state.ready();
    // Hub code of this connection publishes here synchronously, so the room must be in use before.
    if (userRoom) await userRoom.use();
    // A command of the account meanwhile has not found the connection, and the first frames have the room's state.
    if (state || userRoom) await this.admissions.check(factsOf(arrival.user));
    const connection = enterRoom(this.parts, socket, arrival);
    this.inBackground(this.welcome(connection));
    return connection;
  }

  /**
   * Webhooks get `disconnected` before the user's `left`, and presence changes before the hook `disconnected` runs. A
   * socket that closed while the object slept was not counted at this wake: a lost user leaves after the grace.
   */
  protected override left(connection: Connection, end: End): void {
    super.left(connection, end);
    const how = isDeliberate(connection, end.error) ? "left" : "set";
    const { user, attached } = connection;
    this.parts.presence.addOwn(user.id, end.asleep ? 0 : -1, { how, trace: attached.trace });
  }

  publish(draft: Draft): Promise<Position> {
    return this.#inUse(() => this.parts.publisher.appendAndSave(draft));
  }

  publishAll(drafts: readonly Draft[]): Promise<PublishOutcomes> {
    return this.#inUse(() => this.parts.publisher.appendAllAndSave(drafts));
  }

  publishAs(
    follower: FollowerPosition,
    drafts: readonly Draft[],
  ): Promise<readonly [PublishOutcomes, Delivery?]> {
    const { followers, publisher } = this.parts;
    return this.#inUse(() => followers.answer(follower, () => publisher.appendAllAndSave(drafts)));
  }

  /** Runs `publish`: in a user's own room once the room is in use, in other rooms at once. */
  #inUse<T>(publish: () => Promise<T>): Promise<T> {
    const used = this.parts.userRoom?.use();
    return used ? used.then(publish) : publish();
  }

  missed(...[since, showsPresent, wantsState]: Parameters<RoomRpc["missed"]>) {
    const look = showsPresent && (() => this.#look());
    return refusable(missedAtJoin(this.parts, { since, wantsState }, look));
  }

  runAction(run: Run): Promise<RunResult | Refused> {
    return refusable(runDurably(this.parts, run));
  }

  wholeState(): Promise<Snapshot | Refused> {
    return this.#ofState(wholeOf);
  }

  viewedState(): Promise<Snapshot | Refused> {
    return this.#ofState(viewOf);
  }

  reloadState(): Promise<Position | Refused> {
    return this.#ofState(({ transfer }) => transfer.reload());
  }

  schedule(): Promise<readonly Scheduled[] | Refused> {
    return this.#ofState(({ transfer }) => transfer.schedule());
  }

  cancelScheduled(id: string): Promise<boolean | Refused> {
    return this.#ofState(({ transfer }) => transfer.cancel(id));
  }

  exportState(at?: Position): Promise<Uint8Array | Refused> {
    return this.#ofState(({ transfer }) => transfer.export(at));
  }

  importState(exported: Uint8Array): Promise<Position | Refused> {
    return this.#ofState(({ transfer }) => transfer.import(exported));
  }

  /** Refused with `method_not_found` if the room has no state. */
  #ofState<T>(call: (state: RoomState) => T | Promise<T>): Promise<T | Refused> {
    const { state } = this.parts;
    const answer = async () => call(state ?? noState());
    return refusable(answer());
  }

  async #look(): Promise<void> {
    this.parts.beforeLook();
    await this.parts.userRoom?.look();
  }

  async history(query: HistoryQuery): Promise<HistoryView> {
    return this.parts.own.history(query);
  }

  async presence(query: PresenceQuery): Promise<PresenceView> {
    await this.#look();
    return this.parts.own.presence(query);
  }

  /** Refused with `forbidden` if the user is absent, and with `too_large`. */
  track(userId: string, state: unknown): Promise<void | Refused> {
    return refusable(this.#look().then(() => this.parts.own.track(userId, state)));
  }

  async follow(
    follower: string,
    members: readonly MemberCount[],
    anew?: FullFollow,
  ): Promise<Position> {
    const call = { follower, members, anew };
    return acceptFollower(this.parts, call, (work) => this.inBackground(work));
  }

  async unfollow(follower: string, left: readonly string[] = [], traces?: Traces): Promise<void> {
    const { followers, presence } = this.parts;
    for (const userId of left) presence.left([follower, userId, 0, traces?.get(userId)]);
    for (const [userId, trace] of traces ?? []) presence.set([follower, userId, 0, trace]);
    followers.remove(follower);
  }

  /** Runs commands in every object that holds connections of the room; returns how many connections were selected. */
  async everywhere(selection: Selection, commands: readonly Command[]): Promise<number> {
    await this.#look();
    const { name: room, followers, stubs } = this.parts;
    const here = await this.command({ ...selection, room }, commands);
    const elsewhere = await askMany([...followers.links.keys()], (follower) =>
      stubs(follower).command({ ...selection, room }, commands),
    );
    return elsewhere.reduce((sum, { matched }) => sum + matched, here.matched);
  }

  async connectionsIn(query: ConnectionsQuery): Promise<ConnectionsPage> {
    await this.#look();
    return connectionsPage(this.parts, (own) => this.membersIn(own), query);
  }

  async clear(): Promise<void> {
    clearHistory(this.parts, Date.now());
  }

  /** If the storage cannot be read, deletes all of it first, and then erases a state that is stored elsewhere. */
  async erase(): Promise<Position> {
    try {
      return eraseRoom(this.parts, this.ctx.storage.sql);
    } catch (error) {
      if (publicError(error).code !== "storage_corrupt") throw error;
      await this.heal();
      this.inBackground(refollowRelays(this.parts));
      return eraseRoom(this.parts, this.ctx.storage.sql);
    }
  }

  async info(): Promise<RoomInfo> {
    await this.#look();
    const { log, outbox, rate, presence } = this.parts;
    outbox.flush(); // Queued publications count.
    const { connections, users } = presence;
    return { position: log.position, connections, users, rate: rate.perSecond(Date.now()) };
  }

  async report(name: string, report: Report): Promise<void> {
    this.#index.report(name, report, Date.now());
    if (this.#index.asksReporters(Date.now()))
      this.inBackground(refollowReporter(this.parts, name));
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
