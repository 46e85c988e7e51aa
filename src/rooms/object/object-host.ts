// What hub code can do from an object: the Host, over the object's parts. Here by a function call, elsewhere by RPC.

import { HubError, type CloseCode } from "../../model/errors.ts";
import type { Incoming, Outgoing, Params } from "../../model/message.ts";
import type { Limits, RoomSettings } from "../../model/options.ts";
import type { Position } from "../../model/position.ts";
import { ALL, formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { Domain } from "../rpc/object-names.ts";
import { save, type Connection } from "../connection/connection.ts";
import type { Attached } from "../connection/attachment.ts";
import { queuedBytes } from "../connection/connection-table.ts";
import { countReplay } from "../observe/counters.ts";
import { checkDraft } from "../delivery/check-draft.ts";
import { limitsOf } from "../connection/connection-limits.ts";
import type { Cause } from "../links/memberships.ts";
import { messageOf } from "../delivery/outbox.ts";
import type { Parts } from "./object-parts.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import { RemoteConnections } from "./remote-connections.ts";
import { renewal } from "./token-renewal.ts";
import { RoomParts } from "../room/room-parts.ts";
import type { CaughtUp, Host, Receiver, Renewal } from "./host.ts";
import type { Ticket } from "../delivery/fan-out.ts";
import type { Draft, HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import { HANDLER_TURNS, microtasks } from "../platform/microtasks.ts";

export interface HostOptions {
  readonly env: object;
  readonly receiver: Receiver;
  waitUntil(work: Promise<unknown>): void;
  readonly admit: Host["admit"];
}

export class ObjectHost implements Host {
  readonly #parts: Parts;
  readonly #options: HostOptions;
  readonly admit: Host["admit"];
  readonly renewal: Renewal;
  readonly #reaching: RemoteConnections;

  constructor(parts: Parts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
    this.admit = options.admit;
    this.renewal = renewal(parts, this.room);
    this.#reaching = new RemoteConnections(parts, this, options.receiver);
  }

  get domain(): Domain {
    return this.#parts.home;
  }

  get room(): Topic {
    return this.#here?.topic ?? ALL;
  }

  /** The room this object is; undefined where it is a relay. */
  get #here(): RoomParts | undefined {
    return this.#parts instanceof RoomParts ? this.#parts : undefined;
  }

  roomOf({ attached: { room } }: Connection): Topic {
    return room === undefined ? this.room : parseTopic(room);
  }

  get settings(): RoomSettings {
    return this.#parts.settings;
  }

  limitsOf(connection: Connection): Limits {
    return limitsOf(connection, this.settings.limits);
  }

  get env(): object {
    return this.#options.env;
  }

  publish(topic: Topic, draft: Draft): Ticket | Promise<void> {
    checkDraft(draft, this.settings.limits.publishBytes);
    const room = this.#roomHere(topic);
    if (room) return room.publisher.publish(draft);
    return this.#parts.lanes.publish(topic, draft);
  }

  async publishSaved(topic: Topic, draft: Draft): Promise<Position> {
    checkDraft(draft, this.settings.limits.publishBytes);
    const room = this.#roomHere(topic);
    return room
      ? room.publisher.publishSaved(draft)
      : (await this.#elsewhere(topic)).publish(draft);
  }

  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#parts.outbox.send(connection, message);
  }

  queuedBytes(connection: Connection): number {
    return queuedBytes(connection);
  }

  tell(id: string, target: string, params: Params): Promise<void> {
    return this.#reaching.tell(id, target, params);
  }

  ask(id: string, target: string, params: Params): Promise<unknown> {
    return this.#reaching.ask(id, target, params);
  }

  move(id: string, topic: Topic, how: "join" | "leave"): Promise<void> {
    return this.#reaching.move(id, topic, how);
  }

  async join(connection: Connection, topic: Topic, cause: Cause = "hub"): Promise<void> {
    const most = this.limitsOf(connection).groupsPerConnection;
    if (!this.#roomHere(topic)) await this.#parts.follows.join(connection, { topic, most, cause });
  }

  async catchUp(connection: Connection, topic: Topic, since: Position | undefined) {
    const { follows, outbox, counters } = this.#parts;
    const most = this.limitsOf(connection).groupsPerConnection;
    const wanted = { topic, since, most, cause: "client" } as const;
    let caughtUp: CaughtUp | undefined;
    await follows.catchUp(connection, wanted, ({ entries, ...stand }) => {
      const room = formatTopic(topic);
      for (const entry of entries)
        outbox.send(connection, messageOf(room, stand.position.epoch, entry));
      caughtUp = { ...stand, replayed: entries.length };
      if (since) countReplay(counters, stand.recovered, entries.length);
    });
    return caughtUp!;
  }

  async leave(connection: Connection, topic: Topic): Promise<void> {
    if (this.#roomHere(topic) || formatTopic(topic) === formatTopic(this.roomOf(connection)))
      throw new HubError(
        "invalid_request",
        "The connection lives in that room: to leave, close it.",
      );
    await this.#parts.follows.leave(connection, topic);
  }

  async history(topic: Topic, query: HistoryQuery): Promise<HistoryView> {
    const room = this.#roomHere(topic);
    if (!room) return (await this.#elsewhere(topic)).history(query);
    room.outbox.flush(); // Who has said something finds it in the log.
    return room.log.page(query, Date.now(), this.settings.limits.recovery);
  }

  async presence(topic: Topic, query: PresenceQuery): Promise<PresenceView> {
    const room = this.#roomHere(topic);
    return room ? room.roster.view(query) : (await this.#elsewhere(topic)).presence(query);
  }

  async track(userId: string, topic: Topic, state: unknown): Promise<void> {
    const room = this.#roomHere(topic);
    if (!room) return (await this.#elsewhere(topic)).track(userId, state);
    room.roster.track(userId, state);
  }

  /** Who has said something there finds it there. */
  async #elsewhere(topic: Topic): Promise<RoomRpc> {
    await this.#parts.lanes.settled(topic);
    return this.#parts.peer(topic);
  }

  close(connection: Connection, why: CloseCode, detail?: string): void {
    this.#parts.connections.close(connection, why, detail);
  }

  takes(connection: Connection, message: Incoming): boolean {
    if (message.type !== "ping") this.#taken();
    return this.#parts.resumables?.take(connection, message) ?? true;
  }

  /** Pings are told to nobody, or a client that only lives would keep the index awake. */
  #taken(): void {
    this.#parts.counters.in++;
    this.#parts.active();
  }

  refused(code: string): void {
    this.#parts.refused(code);
  }

  pong(connection: Connection): void {
    this.#parts.connections.pong(connection);
  }

  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void {
    save(connection, change);
  }

  dismiss(connection: Connection, why: CloseCode): void {
    const close = async () => {
      // When the loop has drained, what it is told has been said.
      await scheduler.wait(0);
      await this.#parts.outbox.flushed();
      this.close(connection, why);
    };
    this.#options.waitUntil(close());
  }

  remember(connection: Connection, openCalls: readonly string[]): void {
    // An answer is kept before its call is forgotten, or a crash between them leaves it unanswered.
    if (connection.resumable) this.#parts.outbox.flush();
    try {
      save(connection, { openCalls });
    } catch {
      // The token's claims leave no room: after a loss of memory these calls end by their time limits.
      save(connection, { openCalls: [] });
    }
  }

  /** Most work ends within a handler's turns; telling the runtime of it costs a twentieth of a small room's message. */
  waitUntil(work: Promise<unknown>): void {
    let over = false;
    const ends = () => (over = true);
    work.then(ends, ends);
    void microtasks(HANDLER_TURNS, () => over).then(() => over || this.#options.waitUntil(work));
  }

  #roomHere(topic: Topic): RoomParts | undefined {
    const here = this.#here;
    return here && formatTopic(topic) === here.room ? here : undefined;
  }
}
