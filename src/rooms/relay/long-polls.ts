// Clients that poll: between two polls a connection has no socket, and what is said to it waits. The worker's socket of
// a poll says how many frames it took; the rest is for the next poll.

import type { Encoded } from "../../model/message.ts";
import { connectionOf, type Connection } from "../connection/connection.ts";
import type { Attached } from "../connection/attachment.ts";
import type { RelayParts } from "./relay-parts.ts";

/** How long the last words to a client wait for a poll. */
const LAST_MS = 15_000;

export class LongPolls {
  readonly #parts: RelayParts;
  /** Last words of connections that have ended, by id. */
  readonly #ended = new Map<
    string,
    { readonly frames: readonly Encoded[]; readonly until: number }
  >();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** The first poll is answered at once: its client waits for it before it says anything. */
  begin(attached: Attached): Response {
    const { agenda, connections, resumables } = this.#parts;
    const connection = connectionOf(undefined, attached);
    connection.held = [];
    connection.opening = true;
    connections.adopt(connection);
    resumables.begin(connection);
    resumables.dropped(connection, Date.now());
    agenda.arm(Math.min(attached.user.expiresAt, attached.deadline!));
    return new Response(null, { status: 200 });
  }

  poll(connection: Connection, socket: WebSocket): Connection {
    this.#parts.resumables.polled(connection, socket);
    return connection;
  }

  /** The poll is over, and the worker answers once it knows that this is known here: or the next would get it again. */
  took(connection: Connection, count: number): void {
    const { socket } = connection;
    connection.resumable?.took(count);
    this.#parts.resumables.dropped(connection, Date.now());
    socket?.close(1000);
  }

  /** A connection is over: what it did not take yet waits for one more poll. */
  ended({ id, attached, resumable, socket }: Connection): void {
    if (attached.transport !== "LongPolling") return;
    const now = Date.now();
    for (const [one, { until }] of this.#ended) if (until <= now) this.#ended.delete(one);
    const frames = socket ? [] : (resumable?.unconfirmed ?? []);
    this.#ended.set(id, { frames, until: now + LAST_MS });
  }

  hasEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  /** What was left to say, and then that there is nothing more. */
  last(id: string): Response {
    const { frames = [] } = this.#ended.get(id) ?? {};
    if (frames.length === 0) this.#ended.delete(id);
    else this.#ended.set(id, { frames: [], until: Date.now() + LAST_MS });
    return frames.length === 0
      ? new Response(null, { status: 204 })
      : new Response(new Blob(frames.map((frame) => frame as string)), { status: 200 });
  }
}
