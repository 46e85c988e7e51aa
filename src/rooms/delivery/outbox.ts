// What waits to be written to this object's sockets: everything of a moment leaves in one frame a socket. Knows no
// logs; where something must be saved before it is sent, `save` does it first.

import type { Outgoing } from "../../model/message.ts";
import { formatPosition } from "../../model/position.ts";
import type { Connection } from "../connection/connection.ts";
import { fanOut, type Send, type Waiting, type Ticket } from "./fan-out.ts";
import { flushTiming, type FlushTiming } from "../platform/flush-timing.ts";
import { type Entry, PRESENCE } from "../rpc/log-entry.ts";

export interface OutboxOptions {
  /** Whether a flush costs next to nothing. */
  isLight(): boolean;
  find(connection: string): Connection | undefined;
  readonly send: Send;
  /** How many messages have just left. */
  told?(messages: number): void;
}

/** An entry of a room, for those of this object's connections that are in it. */
export interface Hearing {
  /** The topic of the room, as text. */
  readonly room: string;
  readonly epoch: string;
  readonly entry: Entry;
  readonly audience: ReadonlySet<Connection>;
  /** Where it has to be saved before it is said. */
  readonly ticket?: Ticket;
  /** Connections that have it already. */
  readonly skip?: ReadonlySet<Connection>;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #pace: FlushTiming;
  #waiting: Waiting[] = [];
  #flushed: PromiseWithResolvers<void> | undefined;
  /** Before anything of a flush is sent: the output gate holds the frames until these rows are durable. */
  save: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#pace = flushTiming(() => this.flush(), { isLight: () => options.isLight() });
  }

  hear({ room, epoch, entry, audience, ticket, skip }: Hearing): void {
    const message = messageOf(room, epoch, entry);
    const known = this.#known(entry.except);
    const except = skip ? new Set([...skip, ...(known ?? [])]) : known;
    this.#waiting.push({ audience, message, except, ...(ticket && { ticket }) });
    this.#pace.want();
  }

  #known(ids: readonly string[] | undefined): ReadonlySet<Connection> | undefined {
    const known = ids?.flatMap((id) => this.#options.find(id) ?? []) ?? [];
    return known.length > 0 ? new Set(known) : undefined;
  }

  send(connection: Connection, message: Outgoing | (() => Outgoing)): void {
    this.#waiting.push({ connection, message });
    this.#pace.want();
  }

  flush(): void {
    this.save();
    const waiting = this.#waiting.filter((one) => !("ticket" in one && one.ticket?.error));
    this.#waiting = [];
    const told = waiting.length > 0 ? fanOut(waiting, this.#options.send) : 0;
    this.#options.told?.(told);
    this.#flushed?.resolve();
    this.#flushed = undefined;
  }

  /** Done when what waits now was written. */
  async flushed(): Promise<void> {
    if (this.#waiting.length === 0) return;
    this.#flushed ??= Promise.withResolvers();
    return this.#flushed.promise;
  }
}

/** An entry as its audience gets it: the hub's call, or the protocol's own word about presence. */
export function messageOf(room: string, epoch: string, entry: Entry): Outgoing {
  const position = formatPosition({ epoch, offset: entry.offset });
  const { target, params, bytes } = entry;
  if (target !== PRESENCE)
    return { type: "invocation", target, params, room, position, ...(bytes && { bytes }) };
  const [change] = JSON.parse(params) as [object];
  return { type: "control", name: "presence", params: change, room, position };
}
