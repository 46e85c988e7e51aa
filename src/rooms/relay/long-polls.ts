// Clients that poll: between two polls a connection has no socket, and frames to it wait. The worker's socket of a poll
// says how many frames it took; the rest is for the next poll.

import type { Encoded } from "../../model/message.ts";
import type { Attached } from "../connection/attachment.ts";
import { connectionOf, type Connection } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { ResumableConnections } from "../connection/resumable-connections.ts";
import type { AlarmAgenda } from "../platform/alarm-agenda.ts";

/** How long the last frames of a connection that has ended wait for a poll. */
const LAST_MS = 15_000;

export interface LongPollsOptions {
  readonly agenda: AlarmAgenda;
  readonly connections: ConnectionTable;
  readonly resumables: ResumableConnections;
}

export class LongPolls {
  readonly #options: LongPollsOptions;
  /** Last frames of connections that have ended, by id. */
  readonly #ended = new Map<
    string,
    { readonly frames: readonly Encoded[]; readonly until: number }
  >();

  constructor(options: LongPollsOptions) {
    this.#options = options;
  }

  /** The first poll is answered at once: its client waits for that before it sends anything. */
  begin(attached: Attached): Response {
    const { agenda, connections, resumables } = this.#options;
    const connection = connectionOf(undefined, attached);
    connections.adopt(connection);
    resumables.begin(connection);
    resumables.socketLost(connection, Date.now());
    agenda.arm(Math.min(attached.user.expiresAt, attached.deadline!));
    return new Response(null, { status: 200 });
  }

  poll(connection: Connection, socket: WebSocket): Connection {
    this.#options.resumables.polled(connection, socket);
    return connection;
  }

  /** The poll is over. The worker answers it once this is known here, or the next would get the same frames again. */
  confirm(connection: Connection, count: number): void {
    const { socket } = connection;
    connection.resumable?.confirmFrames(count);
    this.#options.resumables.socketLost(connection, Date.now());
    socket?.close(1000);
  }

  /** A connection has ended: frames that it did not take yet wait for one more poll. */
  keepLastFrames({ id, attached, resumable, socket }: Connection): void {
    if (attached.transport !== "LongPolling") return;
    const now = Date.now();
    for (const [one, { until }] of this.#ended) if (until <= now) this.#ended.delete(one);
    const frames = socket ? [] : (resumable?.unconfirmed ?? []);
    this.#ended.set(id, { frames, until: now + LAST_MS });
  }

  hasEnded(id: string): boolean {
    return this.#ended.has(id);
  }

  /** The frames that were left, and on the next poll that there are no more. */
  answerLast(id: string): Response {
    const { frames = [] } = this.#ended.get(id) ?? {};
    if (frames.length === 0) this.#ended.delete(id);
    else this.#ended.set(id, { frames: [], until: Date.now() + LAST_MS });
    return frames.length === 0
      ? new Response(null, { status: 204 })
      : new Response(new Blob(frames.map((frame) => frame as string)), { status: 200 });
  }
}
