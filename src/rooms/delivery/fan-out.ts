// Who gets which bytes in one flush: one frame a socket, each message encoded once a protocol, each distinct frame
// built once. Pure: it takes what is waiting and gives frames.

import { HubError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Encoded, Outgoing } from "../../model/message.ts";
import type { Protocol } from "../../protocols/protocol.ts";
import type { Connection } from "../connection/connection.ts";

/** Whether what is published in a flush was saved: `error` is final once the flush has saved, and before it sends. */
export interface Ticket {
  error: HubError | null;
}

export type Audience = ReadonlySet<Connection>;

/** Said to everybody in an audience. */
export interface Said {
  readonly audience: Audience;
  readonly message: Outgoing;
  readonly except: Audience | undefined;
  /** Where it has to be saved before it is said. */
  readonly ticket?: Ticket;
}

/** Told to one connection; a function is asked now, when all before it has been saved. */
export interface Told {
  readonly connection: Connection;
  readonly message: Outgoing | (() => Outgoing);
}

export type Waiting = Said | Told;

export type Send = (connection: Connection, frames: readonly Encoded[]) => void;

/** Frames are cut at this many characters, so that a long replay does not become one huge frame. */
export const FRAME_CHARS = 256 * 1024;

/** Calls `send` with the frames of each connection, in order. Gives how many messages that were. */
export function fanOut(waiting: readonly Waiting[], send: Send): number {
  const encode = encoder();
  const special = specialOf(waiting, encode);
  let told = 0;
  for (const [connection, records] of special) {
    if (records.length > 0) send(connection, cut(connection.protocol, records));
    told += records.length;
  }
  for (const { audiences, connections } of sharesOf(waiting, special)) {
    const frames = new Map<Protocol, Encoded[]>();
    const messages = waiting.filter((one) => !isTold(one) && audiences.has(one.audience)).length;
    for (const connection of connections) {
      const { protocol } = connection;
      let shared = frames.get(protocol);
      if (!shared)
        frames.set(
          protocol,
          (shared = cut(protocol, recordsOf(waiting, audiences, protocol, encode))),
        );
      if (shared.length > 0) send(connection, shared);
      told += messages;
    }
  }
  return told;
}

/** Records as frames: as few as fit. Empty records are left out. */
export function cut(protocol: Protocol, records: readonly Encoded[]): Encoded[] {
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

const isTold = (one: Waiting): one is Told => "connection" in one;

type Encode = (message: Outgoing, protocol: Protocol) => Encoded;

/** Remembers what it encoded, for as long as the flush lasts. */
function encoder(): Encode {
  const known = new Map<Outgoing, Map<Protocol, Encoded>>();
  return (message, protocol) => {
    let records = known.get(message);
    if (!records) known.set(message, (records = new Map()));
    let record = records.get(protocol);
    if (record === undefined) records.set(protocol, (record = encodeSafely(message, protocol)));
    return record;
  };
}

/** A result that JSON cannot hold (a BigInt, a cycle) fails its own call and nothing else. */
function encodeSafely(message: Outgoing, protocol: Protocol): Encoded {
  try {
    return protocol.encode(message);
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

function encodable(answer: Outgoing, protocol: Protocol): Outgoing | [] {
  try {
    protocol.encode(answer);
    return answer;
  } catch (error) {
    logError("answer_unencodable", { error });
    return failureOf(answer) ?? [];
  }
}

const failureOf = (message: Outgoing): Outgoing | undefined =>
  message.type === "completion" || message.type === "item"
    ? {
        type: "failure",
        id: message.id,
        error: new HubError("internal", "The result could not be encoded."),
      }
    : undefined;

/** Connections whose frame is their own, because something was told to them, or something was not; and its records. */
function specialOf(waiting: readonly Waiting[], encode: Encode): Map<Connection, Encoded[]> {
  const special = new Map<Connection, Encoded[]>();
  for (const one of waiting) {
    if (isTold(one)) special.set(one.connection, []);
    else for (const connection of one.except ?? []) special.set(connection, []);
  }
  if (special.size === 0) return special;
  for (const one of waiting) {
    if (isTold(one)) special.get(one.connection)!.push(recordOf(one, encode));
    else
      for (const [connection, records] of special)
        if (one.audience.has(connection) && !one.except?.has(connection))
          records.push(encode(one.message, connection.protocol));
  }
  return special;
}

/** A function that throws leaves its own connection without this record, and nobody else. */
function recordOf({ connection, message }: Told, encode: Encode): Encoded {
  try {
    return encode(typeof message === "function" ? message() : message, connection.protocol);
  } catch (error) {
    logError("message_unmade", { error });
    return "";
  }
}

/** What connections of these audiences hear, and of no others. */
interface Share {
  readonly audiences: ReadonlySet<Audience>;
  readonly connections: Iterable<Connection>;
}

/** Connections that hear the same audiences get the same frame: most often all of them, of one audience. */
function sharesOf(
  waiting: readonly Waiting[],
  special: ReadonlyMap<Connection, unknown>,
): Iterable<Share> {
  const audiences = new Set<Audience>();
  for (const one of waiting) if (!isTold(one)) audiences.add(one.audience);
  const [first, second] = audiences;
  if (!first) return [];
  if (second) return sharesOfMany(audiences, special);
  const connections = special.size === 0 ? first : [...first].filter((c) => !special.has(c));
  return [{ audiences, connections }];
}

/** Audiences heard so far; one step further for each audience. */
interface Heard {
  readonly audiences: ReadonlySet<Audience>;
  readonly connections: Set<Connection>;
  readonly further: Map<Audience, Heard>;
}

const heardOf = (audiences: ReadonlySet<Audience>): Heard => ({
  audiences,
  connections: new Set(),
  further: new Map(),
});

function sharesOfMany(
  audiences: ReadonlySet<Audience>,
  special: ReadonlyMap<Connection, unknown>,
): Iterable<Share> {
  const all: Heard[] = [];
  const nothing = heardOf(new Set());
  const heard = new Map<Connection, Heard>();
  for (const audience of audiences)
    for (const connection of audience) {
      if (special.has(connection)) continue;
      const before = heard.get(connection) ?? nothing;
      let now = before.further.get(audience);
      if (!now) {
        all.push((now = heardOf(new Set([...before.audiences, audience]))));
        before.further.set(audience, now);
      }
      before.connections.delete(connection);
      now.connections.add(connection);
      heard.set(connection, now);
    }
  return all;
}

function recordsOf(
  waiting: readonly Waiting[],
  audiences: ReadonlySet<Audience>,
  protocol: Protocol,
  encode: Encode,
): Encoded[] {
  return waiting.flatMap((one) =>
    !isTold(one) && audiences.has(one.audience) ? [encode(one.message, protocol)] : [],
  );
}
