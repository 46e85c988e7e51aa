// Who gets which bytes in one flush: one frame a socket, each message encoded once a protocol, each distinct frame
// built once. Pure: it takes what is waiting and gives frames.

import { HubError } from "../model/errors.ts";
import type { Outgoing } from "../model/message.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { Connection } from "./connection.ts";
import type { Ticket } from "./receiver.ts";

/** Said to everybody in an audience. */
export interface Said {
  readonly audience: ReadonlySet<Connection>;
  readonly message: Outgoing;
  readonly except: ReadonlySet<Connection> | undefined;
  /** Where it has to be saved before it is said. */
  readonly ticket?: Ticket;
}

/** Told to one connection; a function is asked now, when all before it has been saved. */
export interface Told {
  readonly connection: Connection;
  readonly message: Outgoing | (() => Outgoing);
}

export type Waiting = Said | Told;

/** Frames are cut at this many characters, so that a long replay does not become one huge frame. */
const FRAME_CHARS = 256 * 1024;

/** Calls `send` with the frames of each connection, in order. */
export function fanOut(
  waiting: readonly Waiting[],
  send: (connection: Connection, frames: readonly string[]) => void,
): void {
  const encode = encoder();
  const special = specialOf(waiting);
  for (const connection of special)
    send(connection, cut(connection, recordsFor(connection, waiting, encode)));
  for (const [audiences, connections] of sharesOf(waiting, special)) {
    const frames = new Map<Protocol, string[]>();
    for (const connection of connections) {
      let shared = frames.get(connection.protocol);
      if (!shared)
        frames.set(
          connection.protocol,
          (shared = cut(connection, shareOf(audiences, waiting, connection.protocol, encode))),
        );
      send(connection, shared);
    }
  }
}

const isTold = (one: Waiting): one is Told => "connection" in one;

type Encode = (message: Outgoing, protocol: Protocol) => string;

/** Remembers what it encoded, for as long as the flush lasts. */
function encoder(): Encode {
  const known = new Map<Outgoing, Map<Protocol, string>>();
  return (message, protocol) => {
    let records = known.get(message);
    if (!records) known.set(message, (records = new Map()));
    let record = records.get(protocol);
    if (record === undefined) records.set(protocol, (record = encodeSafely(message, protocol)));
    return record;
  };
}

/** A result that JSON cannot hold (a BigInt, a cycle) fails its own call and nothing else. */
function encodeSafely(message: Outgoing, protocol: Protocol): string {
  try {
    return protocol.encode(message);
  } catch (error) {
    console.error("A message could not be encoded:", error);
    if (message.type !== "completion" && message.type !== "item") return "";
    const failure = new HubError("internal", "The result could not be encoded.");
    return protocol.encode({ type: "failure", id: message.id, error: failure });
  }
}

/** Connections whose frame is their own: something was told to them, or something was not. */
function specialOf(waiting: readonly Waiting[]): Set<Connection> {
  const special = new Set<Connection>();
  for (const one of waiting) {
    if (isTold(one)) special.add(one.connection);
    else for (const connection of one.except ?? []) special.add(connection);
  }
  return special;
}

function recordsFor(connection: Connection, waiting: readonly Waiting[], encode: Encode): string[] {
  const records: string[] = [];
  for (const one of waiting) {
    if (isTold(one)) {
      if (one.connection !== connection) continue;
      const message = typeof one.message === "function" ? one.message() : one.message;
      records.push(encode(message, connection.protocol));
    } else if (one.audience.has(connection) && !one.except?.has(connection))
      records.push(encode(one.message, connection.protocol));
  }
  return records;
}

type Audience = ReadonlySet<Connection>;

/** Connections that hear the same audiences get the same frame: most often all of them, of one audience. */
function* sharesOf(
  waiting: readonly Waiting[],
  special: ReadonlySet<Connection>,
): Iterable<[ReadonlySet<Audience>, Iterable<Connection>]> {
  const audiences = new Set(waiting.flatMap((one) => (isTold(one) ? [] : [one.audience])));
  const groups = new Map<string, [Set<Audience>, Connection[]]>();
  for (const connection of new Set([...audiences].flatMap((audience) => [...audience]))) {
    if (special.has(connection)) continue;
    const heard = [...audiences].map((audience) => audience.has(connection));
    const group = groups.get(heard.join());
    if (group) group[1].push(connection);
    else
      groups.set(heard.join(), [new Set([...audiences].filter((_, i) => heard[i])), [connection]]);
  }
  yield* groups.values();
}

function shareOf(
  audiences: ReadonlySet<Audience>,
  waiting: readonly Waiting[],
  protocol: Protocol,
  encode: Encode,
): string[] {
  return waiting.flatMap((one) =>
    !isTold(one) && audiences.has(one.audience) ? [encode(one.message, protocol)] : [],
  );
}

function cut({ protocol }: Connection, records: readonly string[]): string[] {
  const frames: string[] = [];
  let open: string[] = [];
  let size = 0;
  for (const record of records) {
    if (record === "") continue;
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
