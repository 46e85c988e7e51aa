// What hub code can do from an object: the Host, over the object's parts. Here by a function call, elsewhere by RPC.

import { HubError, publicError, type CloseCode } from "../model/errors.ts";
import type { Incoming, Outgoing, Params } from "../model/message.ts";
import type { RoomSettings } from "../model/options.ts";
import type { Position } from "../model/position.ts";
import { ALL, formatTopic, parseTopic, type Topic } from "../model/topic.ts";
import { granted, type User } from "../model/user.ts";
import { homeOf, objectName, type Domain, type Home } from "./address.ts";
import { save, type Attached, type Connection } from "./connection.ts";
import { queuedBytes } from "./connections.ts";
import { messageOf } from "./outbox.ts";
import type { Parts } from "./parts.ts";
import type { Peer } from "./peers.ts";
import { RoomParts } from "./room-parts.ts";
import type {
  CaughtUp,
  Draft,
  HistoryQuery,
  HistoryView,
  Host,
  PresenceQuery,
  PresenceView,
  Receiver,
  Ticket,
} from "./receiver.ts";
import { HANDLER_TURNS, turns } from "./turns.ts";

export interface HostOptions {
  readonly env: object;
  readonly receiver: Receiver;
  waitUntil(work: Promise<unknown>): void;
}

export class ObjectHost implements Host {
  readonly #parts: Parts;
  readonly #options: HostOptions;

  constructor(parts: Parts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
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

  get env(): object {
    return this.#options.env;
  }

  publish(topic: Topic, draft: Draft): Ticket | Promise<void> {
    checkDraft(draft, this.settings.limits.publishBytes);
    const room = this.#roomHere(topic);
    if (room) return room.publisher.publish(draft);
    return this.#parts.lanes.publish(topic, draft);
  }

  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#parts.outbox.send(connection, message);
  }

  queuedBytes(connection: Connection): number {
    return queuedBytes(connection);
  }

  /** Who is gone is told nothing, and nobody hears of that: as in SignalR, a push is no question. */
  async tell(id: string, target: string, params: Params): Promise<void> {
    checkDraft({ target, ...params }, this.settings.limits.publishBytes);
    try {
      const connection = this.#local(id);
      if (connection) this.send(connection, { type: "invocation", target, ...params });
      else await this.#parts.holder(this.#homeOf(id)).tell(id, target, params);
    } catch (error) {
      if (publicError(error).code !== "connection_not_found") throw error;
    }
  }

  async ask(id: string, target: string, params: Params): Promise<unknown> {
    checkDraft({ target, ...params }, this.settings.limits.publishBytes);
    const connection = this.#local(id);
    return connection
      ? this.#options.receiver.ask(this, connection, target, params)
      : this.#parts.holder(this.#homeOf(id)).ask(id, target, params);
  }

  async move(id: string, topic: Topic, how: "join" | "leave"): Promise<void> {
    const connection = this.#parts.connections.get(id);
    const home = connection ? undefined : this.#homeOf(id);
    if (home && !this.#isOwn(home))
      return this.#parts.holder(home).move(id, formatTopic(topic), how);
    if (connection) await this[how](connection, topic);
  }

  async join(connection: Connection, topic: Topic): Promise<void> {
    if (!this.#roomHere(topic))
      await this.#parts.follows.join(connection, topic, this.settings.limits.groupsPerConnection);
  }

  async catchUp(connection: Connection, topic: Topic, since: Position | undefined) {
    const { follows, outbox } = this.#parts;
    const most = this.settings.limits.groupsPerConnection;
    let caughtUp: CaughtUp | undefined;
    await follows.catchUp(connection, { topic, since, most }, ({ entries, ...stand }) => {
      const room = formatTopic(topic);
      for (const entry of entries)
        outbox.send(connection, messageOf(room, stand.position.epoch, entry));
      caughtUp = { ...stand, replayed: entries.length };
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
  async #elsewhere(topic: Topic): Promise<Peer> {
    await this.#parts.lanes.settled(topic);
    return this.#parts.peer(topic);
  }

  close(connection: Connection, why: CloseCode, detail?: string): void {
    this.#parts.connections.close(connection, why, detail);
  }

  takes(connection: Connection, message: Incoming): boolean {
    return this.#parts.resumables?.take(connection, message) ?? true;
  }

  pong(connection: Connection): void {
    this.#parts.connections.pong(connection);
  }

  keep(connection: Connection, change: Partial<Pick<Attached, "items">>): void {
    save(connection, change);
  }

  renew(connection: Connection, user: User): void {
    const renewed = granted(user, connection.user.grant);
    save(connection, { user: renewed });
    this.#parts.agenda.arm(renewed.expiresAt);
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
    void turns(HANDLER_TURNS, () => over).then(() => over || this.#options.waitUntil(work));
  }

  #roomHere(topic: Topic): RoomParts | undefined {
    const here = this.#here;
    return here && formatTopic(topic) === here.room ? here : undefined;
  }

  /** Undefined where the connection is of another object. Throws `connection_not_found` where it should be here. */
  #local(id: string): Connection | undefined {
    const connection = this.#parts.connections.get(id);
    if (!connection && this.#isOwn(this.#homeOf(id)))
      throw new HubError("connection_not_found", "There is no connection with that id.");
    return connection;
  }

  #homeOf(id: string): Home {
    return homeOf(id, this.#parts.home);
  }

  #isOwn(home: Home): boolean {
    return objectName(home) === objectName(this.#parts.home);
  }
}

/** Hub code may not speak the protocol's own words, and what it says must fit into a row. */
function checkDraft({ target, params }: Draft, most: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length > most || (params.length * 3 > most && byteLength(params) > most))
    throw new HubError("too_large", `A message has ${most} bytes at most.`);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;
