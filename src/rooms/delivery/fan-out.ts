// The frames of one flush: one for each socket, with each message encoded once per protocol, and each distinct frame
// built once. Pure: takes queued messages and calls `send` with frames.
//
// Connections that receive the same publications share a frame. A connection has a frame of its own if a message is for
// it alone, or if a publication excludes it. Each gets its messages in the order of the queue.

import { serverError, type HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Encoded, Outgoing } from "../../model/message.ts";
import type { StateNames } from "../../model/state-wire.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { Connection } from "../connection/connection.ts";
import { groupByAudiences, type Audience, type RecipientGroup } from "./audience-groups.ts";

/** Whether a publication was saved. `error` is final once the flush has saved, before it sends. */
export interface Ticket {
  error: HubError | null;
  /** The flush has run: `error` does not change any more. */
  isFinal?: boolean;
}

/** Publications of one call that are kept before those that were saved are dropped, and failures that are kept. */
const KEPT = 64;
const KEPT_FAILURES = 16;

/**
 * The publications of one call that are not known to be saved, and the first ones that failed: a stream may publish for
 * as long as it lives. The call completes once all of them are saved.
 */
export class Publications {
  /** In this object's room: after the next flush, each has its error or null. */
  tickets: Ticket[] = [];
  /** In rooms of other objects: each resolves when it is durable there, and queued for the caller. */
  readonly elsewhere = new Set<Promise<unknown>>();
  #most = KEPT;
  #failures = 0;

  add(result: Ticket | Promise<unknown>): void {
    if (!(result instanceof Promise)) return this.#addTicket(result);
    this.elsewhere.add(result);
    const forget = () => void this.elsewhere.delete(result);
    result.then(forget, () => ++this.#failures > KEPT_FAILURES && forget());
  }

  #addTicket(ticket: Ticket): void {
    if (this.tickets.push(ticket) < this.#most) return;
    const failed = this.tickets.find(({ error }) => error);
    this.tickets = this.tickets.filter((one) => one === failed || !one.isFinal);
    this.#most = Math.max(KEPT, 2 * this.tickets.length);
  }
}

/** A message to all connections of an audience. */
interface Publication {
  readonly audience: Audience;
  readonly message: Outgoing;
  /** Connections that must not receive it. */
  readonly except: Audience | undefined;
  /** Present if it must be saved before it is sent. */
  readonly ticket?: Ticket;
  /** When the room numbered it, milliseconds since 1970. Absent: its delivery is not timed. */
  readonly publishedAt?: number;
}

/** A message to one connection. A function is called by the flush, after all earlier publications were saved. */
interface DirectMessage {
  readonly connection: Connection;
  readonly message: Outgoing | (() => Outgoing);
}

export type QueuedMessage = Publication | DirectMessage;

export type Send = (connection: Connection, frames: readonly Encoded[]) => void;

/** Frames are cut at this many characters, so that a long replay does not become one huge frame. */
export const FRAME_CHARS = 256 * 1024;

/** Calls `send` with the frames of each connection. Returns the number of messages, counted once per recipient. */
export function fanOut(queue: readonly QueuedMessage[], send: Send, names?: StateNames): number {
  const encode = encoder(names);
  const individual = individualRecords(queue, encode);
  let count = 0;
  for (const [connection, records] of individual) {
    if (records.length > 0) send(connection, splitIntoFrames(connection.protocol, records));
    count += records.length;
  }
  const placed = byAudience(queue);
  for (const { audiences, connections } of recipientGroups([...placed.keys()], individual)) {
    const frames = new Map<Protocol, Encoded[]>();
    const publications = publicationsTo(audiences, placed);
    for (const connection of connections) {
      const { protocol } = connection;
      let shared = frames.get(protocol);
      if (!shared)
        frames.set(
          protocol,
          (shared = splitIntoFrames(
            protocol,
            publications.map(({ message }) => encode(message, protocol)),
          )),
        );
      if (shared.length > 0) send(connection, shared);
      count += publications.length;
    }
  }
  return count;
}

/** Records as frames: as few as `FRAME_CHARS` allows, or one for each if the protocol cannot join them.
 * Empty records are left out. */
export function splitIntoFrames(protocol: Protocol, records: readonly Encoded[]): Encoded[] {
  if (protocol.single) return records.filter(({ length }) => length > 0);
  const frames: Encoded[] = [];
  let open: Encoded[] = [];
  let size = 0;
  for (const record of records) {
    if (record.length === 0) continue;
    if (open.length > 0 && size + record.length > FRAME_CHARS) {
      frames.push(protocol.join(open));
      [open, size] = [[], 0];
    }
    open.push(record);
    size += record.length;
  }
  if (open.length > 0) frames.push(protocol.join(open));
  return frames;
}

const isDirect = (queued: QueuedMessage): queued is DirectMessage => "connection" in queued;

type Encode = (message: Outgoing, protocol: Protocol) => Encoded;

/** Encodes each message once per protocol; the cache lasts for one flush. */
function encoder(names: StateNames | undefined): Encode {
  const cache = new Map<Outgoing, Map<Protocol, Encoded>>();
  return (message, protocol) => {
    let records = cache.get(message);
    if (!records) cache.set(message, (records = new Map()));
    let record = records.get(protocol);
    if (record === undefined)
      records.set(protocol, (record = encodeSafely(message, protocol, names)));
    return record;
  };
}

/** A result that the protocol cannot encode (a BigInt, a cycle) fails its own call and nothing else. */
function encodeSafely(message: Outgoing, protocol: Protocol, names?: StateNames): Encoded {
  try {
    return protocol.encode(message, names);
  } catch (error) {
    if (message.type === "batch") {
      const answers = message.answers.flatMap((answer) => encodable(answer, protocol));
      return protocol.encode({ type: "batch", answers });
    }
    logError("message_unencodable", { error });
    const failure = failureOf(message);
    return failure ? protocol.encode(failure) : "";
  }
}

/** The answer, or a failure in its place; nothing for a message that has no answer. */
function encodable(answer: Outgoing, protocol: Protocol): Outgoing | [] {
  try {
    protocol.encode(answer);
    return answer;
  } catch (error) {
    logError("answer_unencodable", { error });
    return failureOf(answer) ?? [];
  }
}

/** Only completions and stream items have a caller that waits for them. */
const failureOf = (message: Outgoing): Outgoing | undefined =>
  message.type === "completion" || message.type === "item"
    ? {
        type: "failure",
        id: message.id,
        error: serverError("internal", "The result could not be encoded."),
      }
    : undefined;

/** Connections with a frame of their own, and its records: recipients of direct messages, and excluded connections. */
function individualRecords(
  queue: readonly QueuedMessage[],
  encode: Encode,
): Map<Connection, Encoded[]> {
  const individual = new Map<Connection, Encoded[]>();
  for (const queued of queue) {
    if (isDirect(queued)) individual.set(queued.connection, []);
    else for (const connection of queued.except ?? []) individual.set(connection, []);
  }
  if (individual.size === 0) return individual;
  for (const queued of queue) {
    if (isDirect(queued)) {
      individual.get(queued.connection)!.push(recordOf(queued, encode));
      continue;
    }
    const { audience, message, except } = queued;
    // Walks the smaller of both sets: a flush may have thousands of small audiences, and as many answers.
    for (const one of audience.size < individual.size ? audience : individual.keys())
      if (audience.has(one) && !except?.has(one))
        individual.get(one)?.push(encode(message, one.protocol));
  }
  return individual;
}

/** If the message's function throws, only its own connection lacks this record. */
function recordOf({ connection, message }: DirectMessage, encode: Encode): Encoded {
  try {
    return encode(typeof message === "function" ? message() : message, connection.protocol);
  } catch (error) {
    logError("message_unmade", { error });
    return "";
  }
}

/** Publications to each audience, with their places in the queue. */
type Placed = ReadonlyMap<Audience, readonly (readonly [place: number, to: Publication])[]>;

function byAudience(queue: readonly QueuedMessage[]): Placed {
  const placed = new Map<Audience, [number, Publication][]>();
  for (const [place, queued] of queue.entries()) {
    if (isDirect(queued)) continue;
    const known = placed.get(queued.audience);
    if (known) known.push([place, queued]);
    else placed.set(queued.audience, [[place, queued]]);
  }
  return placed;
}

/** In the order of the queue. */
function publicationsTo(audiences: readonly Audience[], placed: Placed): Publication[] {
  const all = audiences.flatMap((audience) => placed.get(audience)!);
  if (audiences.length > 1) all.sort(([a], [b]) => a - b);
  return all.map(([, publication]) => publication);
}

/** Groups of connections that get the same frame. Most often there is one audience, and one group. */
function recipientGroups(
  audiences: readonly Audience[],
  individual: ReadonlyMap<Connection, unknown>,
): Iterable<RecipientGroup> {
  const [first, second] = audiences;
  if (!first) return [];
  if (second) return groupByAudiences(audiences, individual);
  const connections = individual.size === 0 ? first : [...first].filter((c) => !individual.has(c));
  return [{ audiences, connections }];
}
