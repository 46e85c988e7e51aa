// Connections of clients that poll. A poll is a socket from the worker that answers the client's request; between two
// polls the connection has no socket, and its replay buffer keeps frames (byFrame, connection/replay-buffer.ts).
//
//   · The worker's socket reports how many frames it has answered with; these are confirmed, the others stay.
//   · Frames are confirmed before the client has the answer: an answer that is lost on its way is not repeated. If the
//     worker's report is lost, the next poll gets the same frames again.
//   · The last frames of a connection that has ended wait for one more poll (last-frames.ts).

import type { Attached } from "../connection/attachment.ts";
import { type Connection, connectionOf } from "../connection/connection.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import type { ResumableConnections } from "../connection/resumable-connections.ts";
import type { AlarmAgenda } from "../platform/alarm-agenda.ts";

interface LongPollsOptions {
  readonly agenda: AlarmAgenda;
  readonly connections: ConnectionTable;
  readonly resumables: ResumableConnections;
}

export class LongPolls {
  readonly #options: LongPollsOptions;

  constructor(options: LongPollsOptions) {
    this.#options = options;
  }

  /** Begins a connection. Its first poll is answered at once, because the client sends nothing before that. */
  begin(attached: Attached): Response {
    const { agenda, connections, resumables } = this.#options;
    const connection = connectionOf(undefined, attached);
    connections.adopt(connection);
    resumables.begin(connection);
    resumables.socketLost(connection, Date.now());
    agenda.arm(Math.min(attached.user.expiresAt, attached.deadline!));
    return new Response(null, { status: 200 });
  }

  /**
   * Called when the worker reports how many frames of this poll it has received. Confirms them before it closes the
   * socket: the worker then answers the client, whose next poll must not get the same frames.
   */
  confirm(connection: Connection, count: number): void {
    const { socket } = connection;
    connection.resumable?.confirmFrames(count);
    this.#options.resumables.socketLost(connection, Date.now());
    socket?.close(1000);
  }
}
