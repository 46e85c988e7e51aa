// The queue of messages to this object's sockets. A flush writes all of them, in one frame for each socket. The outbox
// does not depend on logs: messages that must be saved before they are sent are saved by `saver`, at the beginning of a
// flush.
//
//   · Each connection gets its messages in the order in which they were queued, publications and direct messages alike.
//   · A publication that could not be saved is not sent; messages queued after it are.
//   · The queue is in memory: a crash loses it, together with the sockets. The log has what was saved.
//
// Entries for a room's followers wait in `RecentEntries`, from which followers.ts takes its batches.

import { HubError } from "../../model/errors.ts";
import type { Outgoing } from "../../model/message.ts";
import { formatPosition } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import { flushTiming, type FlushTiming, type Timer } from "../platform/loop-timing.ts";
import { STATE_TARGET, type StateNames } from "../../model/state-wire.ts";
import type { Histogram } from "../platform/histogram.ts";
import { PRESENCE, type Draft, type Entry, type Snapshot } from "../rpc/log-entry.ts";
import type { Delivery } from "../rpc/room-rpc.ts";
import { fanOut, type QueuedMessage, type Send, type Ticket } from "./fan-out.ts";

interface OutboxOptions {
  readonly connections: Pick<ConnectionTable, "all" | "get" | "send">;
  /** Counts messages to clients. */
  readonly counters: { out: number; readonly deliveries?: Pick<Histogram, "observe"> };
  /** Of the hub's rooms with state. */
  readonly stateNames?: StateNames | undefined;
  /** Handlers under way, which may add to a flush. */
  readonly handlers?: { readonly isNone: boolean };
  /** For every flush, in tests. */
  readonly timer?: Timer;
}

/** A room's entry, for those of this object's connections that are in the room. */
interface RoomEntry {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly epoch: string;
  readonly entry: Entry;
  readonly audience: ReadonlySet<Connection>;
  /** Where it must be saved before it is sent. */
  readonly ticket?: Ticket;
  /** Connections that have it already. */
  readonly skip?: ReadonlySet<Connection>;
}

/** Up to so many sockets a flush costs less than the three timers that could spare one. */
const FEW = 8;

export class Outbox {
  readonly #options: OutboxOptions;
  #timing: FlushTiming;
  readonly #send: Send;
  #queue: QueuedMessage[] = [];
  #flushed: PromiseWithResolvers<void> | undefined;
  /**
   * Saves what was published, before anything of the flush is sent: the platform holds the frames back until its rows
   * are durable (output gate). Tickets are final afterwards.
   */
  saver: { save(): void } | undefined;

  constructor(options: OutboxOptions) {
    const { connections, handlers, timer } = options;
    this.#options = options;
    this.#send = connections.send.bind(connections);
    const isLight = () => connections.all.size <= FEW;
    this.#timing = flushTiming(() => this.flush(), timer ? { timer } : { isLight, handlers });
  }

  /** From now on at most so many flushes a second, to few sockets as well. */
  limit(perSecond: number): void {
    const { timer } = this.#options;
    const holdMs = 1000 / perSecond;
    this.#timing = flushTiming(() => this.flush(), { holdMs, ...(timer && { timer }) });
  }

  /** A room's entry goes to its audience at the next flush, in the order of publishing. */
  publish({ room, epoch, entry, audience, ticket, skip }: RoomEntry): void {
    const message = messageOf(room, epoch, entry);
    const excluded = entry.except && this.#connectionsOf(entry.except);
    const except = skip ? new Set([...skip, ...(excluded ?? [])]) : excluded;
    const isTimed = audience.size > 0 && entry.target !== PRESENCE;
    this.#queue.push({
      ...{ audience, message, except },
      ...(ticket && { ticket }),
      ...(isTimed && { publishedAt: entry.at }),
    });
    this.#timing.want();
  }

  #connectionsOf(ids: readonly string[]): ReadonlySet<Connection> | undefined {
    const here = ids.flatMap((id) => this.#options.connections.get(id) ?? []);
    return here.length > 0 ? new Set(here) : undefined;
  }

  /** A message to one connection. A function is called at the flush, after everything before it was saved. */
  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#queue.push({ connection, message });
    this.#timing.want();
  }

  /** The room's log no longer has all that these members missed: they must reload, or get its state. */
  reset({ room, state }: Pick<Delivery, "room" | "state">, members: Iterable<Connection>): void {
    const message: Outgoing = state
      ? snapshotMessage(room, state)
      : { type: "control", name: "reset", params: {}, room };
    for (const connection of members) this.send(connection, message);
  }

  /** Saves, then writes everything in the queue. */
  flush(): void {
    this.saver?.save();
    const messages = this.#queue.filter((one) => !("ticket" in one && one.ticket?.error));
    this.#queue = [];
    try {
      if (messages.length === 0) return;
      const { counters, stateNames } = this.#options;
      counters.out += fanOut(messages, this.#send, stateNames);
      this.#time(messages);
    } finally {
      this.#flushed?.resolve();
      this.#flushed = undefined;
    }
  }

  /** Each message once for each object, however many sockets it has. */
  #time(messages: readonly QueuedMessage[]): void {
    const { deliveries } = this.#options.counters;
    if (!deliveries) return;
    const now = Date.now();
    for (const one of messages)
      if ("publishedAt" in one && one.publishedAt !== undefined)
        deliveries.observe(now - one.publishedAt);
  }

  /** Done when everything that is queued now was written. */
  async flushed(): Promise<void> {
    if (this.#queue.length === 0) return;
    this.#flushed ??= Promise.withResolvers();
    return this.#flushed.promise;
  }
}

export const snapshotMessage = (room: string, { text, position }: Snapshot): Outgoing => ({
  type: "state",
  room,
  position: formatPosition(position),
  params: `{"state":${text}}`,
});

/** An entry as its audience gets it: the hub's call, or the protocol's own message about presence. */
export function messageOf(room: string, epoch: string, entry: Entry): Outgoing {
  const position = formatPosition({ epoch, offset: entry.offset });
  const { target, params, bytes } = entry;
  if (target === STATE_TARGET) return new StateMessage(room, position, entry);
  if (target !== PRESENCE)
    return { type: "invocation", target, params, room, position, ...(bytes && { bytes }) };
  const [change] = JSON.parse(params) as [object];
  return { type: "control", name: "presence", params: change, room, position };
}

/** The change of a room's state. Its text is read when it is encoded: an entry that waits to be saved has none yet. */
class StateMessage {
  readonly type = "state";
  readonly room: string;
  readonly position: string;
  readonly #entry: Entry;

  constructor(room: string, position: string, entry: Entry) {
    [this.room, this.position, this.#entry] = [room, position, entry];
  }

  get params(): string {
    return this.#entry.params;
  }
}

/**
 * Limits that every published message must keep: names that begin with `$` are the protocol's own, and the arguments
 * fit into a row. `most` in bytes. Throws `invalid_request` or `too_large`.
 */
export function checkDraft({ target, params }: Draft, most: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length > most || (params.length * 3 > most && byteLength(params) > most))
    throw new HubError("too_large", `A message has ${most} bytes at most.`);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Texts up to this are taken for one byte a character: a thousand of them are not much. */
const SHORT = 1_000;
const WIDE = /[^\0-\xff]/;

/** Bytes of memory of a text: the engine has two for each character where one of them is beyond Latin. */
export const memoryOf = (text: string): number =>
  text.length > SHORT && WIDE.test(text) ? text.length * 2 : text.length;

const ENTRIES_AT_MOST = 1_000;
const BYTES_AT_MOST = 40 * 1024 * 1024;

/**
 * Entries for a room's followers: consecutive ones, up to the newest, that not all followers have yet. Older ones are
 * read from the log.
 */
export class RecentEntries {
  #entries: Entry[] = [];
  #bytes = 0;

  get all(): readonly Entry[] {
    return this.#entries;
  }

  /** They must follow on the entries before. */
  add(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    for (const { params } of entries) this.#bytes += memoryOf(params);
    while (this.#entries.length > ENTRIES_AT_MOST || this.#bytes > BYTES_AT_MOST)
      if (!this.#dropOldest()) break;
  }

  /** False where one entry alone is so large. */
  #dropOldest(): boolean {
    const dropped = this.#entries.splice(0, Math.floor(this.#entries.length / 2));
    for (const { params } of dropped) this.#bytes -= memoryOf(params);
    return dropped.length > 0;
  }

  forget(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  /** Undefined where memory does not reach back so far. */
  after(startOffset: number): readonly Entry[] | undefined {
    const first = this.#entries[0]?.offset ?? Infinity;
    // Offsets are consecutive: each batch for each follower costs what it brings.
    return first <= startOffset + 1 ? this.#entries.slice(startOffset + 1 - first) : undefined;
  }
}
