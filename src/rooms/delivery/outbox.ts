// The queue of messages to this object's sockets. A flush writes all of them, in one frame for each socket. The outbox
// does not depend on logs: messages that must be saved before they are sent are saved by `saver`, at the beginning of a
// flush.
//
//   · Each connection gets its messages in the order in which they were queued, publications and direct messages alike.
//   · A publication that could not be saved is not sent; messages queued after it are.
//   · The queue is in memory: a crash loses it, together with the sockets. Saved publications are in the log.
//
// Entries for a room's followers wait in `RecentEntries`, from which followers.ts takes its batches.

import { HubError } from "../../model/errors.ts";
import type { Outgoing } from "../../model/message.ts";
import { formatPosition } from "../../model/topic.ts";
import { exceeds } from "../../protocols/bytes.ts";
import type { Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import { flushTiming, type FlushTiming, type Timer } from "../platform/loop-timing.ts";
import { memoryBesideText } from "../../protocols/json.ts";
import { STATE_TARGET, type StateNames } from "../../model/state-wire.ts";
import type { Histogram } from "../platform/histogram.ts";
import { PRESENCE, type Draft, type Entry, type Snapshot } from "../rpc/log-entry.ts";
import type { Delivery } from "../rpc/room-rpc.ts";
import { fanOut, type QueuedMessage, type Send, type Ticket } from "./fan-out.ts";

interface OutboxOptions {
  readonly connections: Pick<ConnectionTable, "all" | "get" | "send">;
  /** Counts messages to clients. */
  readonly counters: { out: number; readonly deliveries?: Pick<Histogram, "observe"> };
  /** Names of SignalR's client methods that get states, in hubs whose rooms have state. */
  readonly stateNames?: StateNames | undefined;
  /** Handlers under way, which may queue further messages for a flush. */
  readonly handlers?: { readonly isNone: boolean };
  /** Used for every flush; only in tests. */
  readonly timer?: Timer;
}

/** A room's entry, for those of this object's connections that are in the room. */
interface RoomEntry {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly epoch: string;
  readonly entry: Entry;
  readonly audience: ReadonlySet<Connection>;
  /** Present if it must be saved before it is sent. */
  readonly ticket?: Ticket;
  /** Connections that have it already. */
  readonly skip?: ReadonlySet<Connection>;
}

/** With so few sockets a flush costs less than the three timers that could save one. */
const FEW = 8;

export class Outbox {
  readonly #options: OutboxOptions;
  #timing: FlushTiming;
  readonly #send: Send;
  #queue: QueuedMessage[] = [];
  #flushed: PromiseWithResolvers<void> | undefined;
  /**
   * Saves publications before any frame of the flush is sent: the platform holds the frames back until the rows are
   * durable (output gate). Tickets are final afterwards.
   */
  saver: { save(): void } | undefined;

  constructor(options: OutboxOptions) {
    const { connections, handlers, timer } = options;
    this.#options = options;
    this.#send = connections.send.bind(connections);
    const isLight = () => connections.all.size <= FEW;
    this.#timing = flushTiming(() => this.flush(), timer ? { timer } : { isLight, handlers });
  }

  /** Limits the number of flushes a second from now on, also with few sockets. */
  limit(perSecond: number): void {
    const { timer } = this.#options;
    const holdMs = 1000 / perSecond;
    this.#timing = flushTiming(() => this.flush(), { holdMs, ...(timer && { timer }) });
  }

  /** Queues a room's entry for its audience: it is sent by the next flush, in the order of publishing. */
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

  /** Queues a message to one connection. A function is called by the flush, after earlier publications were saved. */
  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#queue.push({ connection, message });
    this.#timing.want();
  }

  /** Resets members for whom the room's log no longer has all missed entries: they get its state, or must reload. */
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

  /** Observes delivery times, one for each message, however many sockets the object has. */
  #time(messages: readonly QueuedMessage[]): void {
    const { deliveries } = this.#options.counters;
    if (!deliveries) return;
    const now = Date.now();
    for (const one of messages)
      if ("publishedAt" in one && one.publishedAt !== undefined)
        deliveries.observe(now - one.publishedAt);
  }

  /** Resolves when all messages that are queued now were written. */
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

/** The message for an entry: a call of a client method, a change of state, or a `$/presence` notification. */
export function messageOf(room: string, epoch: string, entry: Entry): Outgoing {
  const position = formatPosition({ epoch, offset: entry.offset });
  const { target, params, bytes } = entry;
  if (target === STATE_TARGET) return new StateMessage(room, position, entry);
  if (target !== PRESENCE)
    return { type: "invocation", target, params, room, position, ...(bytes && { bytes }) };
  const [change] = JSON.parse(params) as [object];
  return { type: "control", name: "presence", params: change, room, position };
}

/** A change of a room's state. Its params are read when it is encoded, because an unsaved entry has none yet. */
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
 * Checks the limits of a published message: targets that begin with `$` are reserved for the protocol, and the
 * arguments must fit into a row. `most` in bytes. Throws `invalid_request` or `too_large`.
 */
export function checkDraft({ target, params }: Draft, most: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length * 3 > most && exceeds(params, most))
    throw new HubError("too_large", `A message has ${most} bytes at most (limits.publishBytes).`);
}

/** Texts up to this length count one byte for each character: the error is small. */
const SHORT = 1_000;
const WIDE = /[^\0-\xff]/;

/** Bytes of memory of a text: two for each character if one of them is not in Latin-1. */
export const memoryOf = (text: string): number =>
  text.length > SHORT && WIDE.test(text) ? text.length * 2 : text.length;

const messageMemory = (entry: Entry): number => memoryOf(entry.params) + memoryBesideText(entry);

const ENTRIES_AT_MOST = 1_000;
const BYTES_AT_MOST = 40 * 1024 * 1024;

/**
 * Entries for a room's followers in memory: consecutive, up to the newest, which some followers lack. Older entries are
 * read from the log.
 */
export class RecentEntries {
  #entries: Entry[] = [];
  #bytes = 0;

  get all(): readonly Entry[] {
    return this.#entries;
  }

  /** Adds entries, whose offsets must continue those of the last call. */
  add(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
    for (const entry of entries) this.#bytes += messageMemory(entry);
    while (this.#entries.length > ENTRIES_AT_MOST || this.#bytes > BYTES_AT_MOST)
      if (!this.#dropOldest()) break;
  }

  /** Drops the older half. False if there is only one entry. */
  #dropOldest(): boolean {
    const dropped = this.#entries.splice(0, Math.floor(this.#entries.length / 2));
    for (const entry of dropped) this.#bytes -= messageMemory(entry);
    return dropped.length > 0;
  }

  forget(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  /** The entries after this offset; undefined if some of them are no longer in memory. */
  after(startOffset: number): readonly Entry[] | undefined {
    const first = this.#entries[0]?.offset ?? Infinity;
    // Offsets are consecutive, so the slice is found without a search.
    return first <= startOffset + 1 ? this.#entries.slice(startOffset + 1 - first) : undefined;
  }
}
