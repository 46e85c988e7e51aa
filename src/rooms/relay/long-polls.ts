// Connections of clients that poll. A poll is a socket from the worker that answers the client's request; between two
// polls the connection has no socket, and its replay buffer keeps frames (byFrame, connection/replay-buffer.ts).
//
//   · The worker's socket reports how many frames it has answered with; these are confirmed, the others stay.
//   · Frames are confirmed before the client has the answer: an answer that is lost on its way is not repeated. Where
//     the worker's report is lost, the next poll gets the same frames again.
//   · The last frames of a connection that has ended wait in memory for one more poll, which 204 then ends.

import type { Encoded } from "../../model/message.ts";
import type { Attached } from "../connection/attachment.ts";
import { type Connection, connectionOf } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { ResumableConnections } from "../connection/resumable-connections.ts";
import type { AlarmAgenda } from "../platform/alarm-agenda.ts";

/** How long the last frames of an ended connection wait for a poll. */
const LAST_MS = 15_000;

interface LongPollsOptions {
  readonly agenda: AlarmAgenda;
  readonly connections: ConnectionTable;
  readonly resumables: ResumableConnections;
}

export class LongPolls {
  readonly #options: LongPollsOptions;
  /** Last frames of connections that have ended, by connection id. */
  readonly #lastFrames = new Map<
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

  /** The client's next poll. Frames that wait are written to it. */
  poll(connection: Connection, socket: WebSocket): Connection {
    this.#options.resumables.attachPoll(connection, socket);
    return connection;
  }

  /**
   * The worker has received so many frames of this poll, and answers the client once the socket is closed: a poll that
   * came before would get the same frames again.
   */
  confirm(connection: Connection, count: number): void {
    const { socket } = connection;
    connection.resumable?.confirmFrames(count);
    this.#options.resumables.socketLost(connection, Date.now());
    socket?.close(1000);
  }

  /** A connection has ended: its unconfirmed frames wait for one more poll, unless one is open and has them. */
  keepLastFrames({ id, attached, resumable, socket }: Connection): void {
    if (attached.transport !== "LongPolling") return;
    const now = Date.now();
    for (const [endedId, { until }] of this.#lastFrames)
      if (until <= now) this.#lastFrames.delete(endedId);
    const frames = socket ? [] : (resumable?.unconfirmed ?? []);
    this.#lastFrames.set(id, { frames, until: now + LAST_MS });
  }

  /** Whether a connection with this id has ended lately. */
  hasEnded(id: string): boolean {
    return this.#lastFrames.has(id);
  }

  /** Answers a poll of an ended connection: its last frames, then 204. */
  answerLast(id: string): Response {
    const { frames = [] } = this.#lastFrames.get(id) ?? {};
    if (frames.length === 0) this.#lastFrames.delete(id);
    else this.#lastFrames.set(id, { frames: [], until: Date.now() + LAST_MS });
    return frames.length === 0
      ? new Response(null, { status: 204 })
      : new Response(new Blob(frames.map((frame) => frame as string)), { status: 200 });
  }
}
