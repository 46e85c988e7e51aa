// The resumable connections of one object: their sockets, and the time limits of clients that are away.
//
//   · A resumable connection outlives its socket by `awayMs`; one that polls, by `BETWEEN_POLLS_MS`. Then it ends.
//   · It survives sleep, crashes and deploys: after a wake, connections whose socket did not survive are away, counted
//     from the first wake that finds the socket missing (resumable-rows.ts).
//   · A client that returns has a deadline for its Sequence. If its socket breaks before, it is away again, with the
//     whole `awayMs`.
//   · Messages in both directions are in the replay buffer (replay-buffer.ts).

import type { Sql } from "../../model/stored-values.ts";
import { CLOSE } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { Incoming } from "../../model/message.ts";
import { BETWEEN_POLLS_MS, POLL_REPLACED } from "../../model/wire-constants.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { type Attached, attachTo } from "./attachment.ts";
import { type Connection, connectionOf, isKnown, save } from "./connection.ts";
import { closeReplaced } from "./close-socket.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { markAway } from "./stage.ts";
import { ReplayBuffer } from "./replay-buffer.ts";
import { framesOf, type ReplayLimits, type ReplayState } from "./replay-rows.ts";
import { ResumableRows } from "./resumable-rows.ts";

/** Delay of a confirmation to the client, so that one confirms the messages of a second. */
const CONFIRM_MS = 1_000;

interface ResumableConnectionsOptions {
  readonly sql: Sql;
  readonly connections: ConnectionTable;
  readonly limits: ReplayLimits;
  /** How long a client may be without a socket. */
  readonly awayMs: number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  /** Called when the client has not returned in time: closes the connection. */
  expired(connection: Connection): void;
}

export class ResumableConnections implements Duty {
  readonly #options: ResumableConnectionsOptions;
  readonly #rows: ResumableRows;
  /** Connections whose client is away, and until when it may return; milliseconds since 1970. */
  readonly #away = new Map<Connection, number>();
  /** Connections whose messages will be confirmed within a second. */
  readonly #confirmationsDue = new Set<Connection>();

  constructor(options: ResumableConnectionsOptions) {
    this.#options = options;
    this.#rows = new ResumableRows(options.sql);
  }

  /** After a wake: restores replay buffers, and the connections whose socket was lost, as away. */
  restore(now: number): void {
    const { connections } = this.#options;
    for (const { id, attached, away, state } of this.#rows.all()) {
      if (!isKnown(attached)) {
        this.#rows.end({ id });
        continue;
      }
      const withSocket = connections.get(id);
      const connection = withSocket ?? connectionOf(undefined, attached);
      if (!withSocket) connections.adopt(connection);
      const { repeated } = connection.attached;
      connection.resumable = this.#bufferOf(connection, { ...state, repeated });
      if (!withSocket) this.#restoreAway(connection, away, now);
    }
  }

  /** Saves the first wake that found the socket missing, so that later wakes do not prolong the time. */
  #restoreAway(connection: Connection, since: number | null, now: number): void {
    markAway(connection);
    if (since === null) this.#rows.saveAwaySince(connection, now);
    this.#expireLater(connection, since ?? now);
  }

  #bufferOf(connection: Connection, state: ReplayState): ReplayBuffer {
    const limits = { ...this.#options.limits, held: connection.held };
    const ofPolls = { ...limits, window: Infinity, byFrame: true };
    const isPoll = isPolled(connection.attached);
    return new ReplayBuffer(this.#rows.of(connection), isPoll ? ofPolls : limits, state);
  }

  /** Makes a connection resumable: it outlives its socket from now on. */
  begin(connection: Connection): void {
    this.#rows.begin(connection);
    const state = { receivedCount: 0, confirmedUpTo: 0, unconfirmed: [] };
    connection.resumable = this.#bufferOf(connection, state);
  }

  /** Called when the socket broke, or a poll ended: frames are kept until the client returns. */
  socketLost(connection: Connection, now: number): void {
    this.#options.connections.detach(connection);
    this.#rows.saveAwaySince(connection, now);
    this.#expireLater(connection, now);
  }

  /**
   * Sets the time limit, and removes the deadline for a Sequence, which cannot come without a socket. The deadline of a
   * polling client is for its handshake, and stays.
   */
  #expireLater(connection: Connection, at: number): void {
    const isPoll = isPolled(connection.attached);
    const until = at + (isPoll ? BETWEEN_POLLS_MS : this.#options.awayMs);
    this.#away.set(connection, until);
    this.#options.arm(until);
    if (!isPoll && connection.attached.deadline !== undefined)
      save(connection, { deadline: undefined });
  }

  /** Attaches a new poll: ends an older one that is still open, and writes all unconfirmed frames. */
  attachPoll(connection: Connection, socket: WebSocket, now: number): void {
    this.#replaceSocket(connection, socket, POLL_REPLACED);
    connection.heardAt = now;
    save(connection, { heardAt: now });
    const frames = connection.resumable?.restartForPoll() ?? [];
    this.#options.connections.write(connection, frames, true);
  }

  #replaceSocket(connection: Connection, socket: WebSocket, code?: number): void {
    const { connections } = this.#options;
    const old = connection.socket;
    connections.detach(connection);
    closeReplaced(old, code);
    connections.reattach(connection, socket);
    this.#away.delete(connection);
    this.#rows.saveAwaySince(connection, null);
  }

  /**
   * Attaches the client's new socket: sends the server's Sequence and all unconfirmed frames, and expects the client's
   * Sequence before the deadline in `change`. Throws `too_large` if the attachment does not fit; then nothing has
   * changed.
   */
  reattach(connection: Connection, socket: WebSocket, change: Partial<Attached>): void {
    // Checks the size with the largest numbers, because the repeated messages are not known yet.
    const repeated = { from: LARGEST, upTo: LARGEST };
    attachTo(socket, { ...connection.attached, ...change, repeated });
    this.#replaceSocket(connection, socket);
    const resumption = connection.resumable!.resume();
    save(connection, { ...change, repeated: resumption.repeated });
    this.#options.connections.write(connection, framesOf(connection.protocol, resumption));
  }

  /** Whether to dispatch a message. Ack and Sequence messages are handled here. */
  take(connection: Connection, message: Incoming): boolean {
    const { resumable } = connection;
    if (message.type === "ack") this.#confirm(connection, message.sequence);
    else if (message.type === "sequence") this.#resumeFrom(connection, message.sequence);
    else return resumable ? this.#accept(connection, resumable, message) : true;
    return false;
  }

  #confirm(connection: Connection, upTo: number): void {
    const frames = connection.resumable?.confirm(upTo) ?? [];
    this.#options.connections.write(connection, frames);
  }

  #resumeFrom(connection: Connection, sequence: number): void {
    if (!connection.resumable) return;
    if (connection.resumable.resumeFrom(sequence)) {
      // A confirmation that was due while the client was away is sent now.
      if (connection.resumable.receivedCount > 0) this.#confirmSoon(connection);
      return save(connection, { deadline: undefined });
    }
    logWarning("resume_impossible", { user: connection.user.id }); // Messages between would be missing.
    this.#options.connections.close(connection, CLOSE.malformed);
  }

  #accept(connection: Connection, resumable: ReplayBuffer, message: Incoming): boolean {
    const before = resumable.receivedCount;
    const isTaken = resumable.accepts(message);
    if (resumable.receivedCount > before) this.#confirmSoon(connection);
    return isTaken;
  }

  /** Confirms the client's messages: once a second at most, and not at all while none come. */
  #confirmSoon(connection: Connection): void {
    if (this.#confirmationsDue.has(connection)) return;
    this.#confirmationsDue.add(connection);
    setTimeout(() => {
      this.#confirmationsDue.delete(connection);
      const sequence = connection.resumable?.receivedCount;
      if (sequence === undefined) return;
      const ack = connection.protocol.encode({ type: "ack", sequence });
      this.#options.connections.write(connection, [ack]);
    }, CONFIRM_MS);
  }

  /** Called when the connection has ended, and cannot be resumed any more. */
  end(connection: Connection): void {
    if (!connection.resumable) return;
    connection.resumable = undefined;
    this.#away.delete(connection);
    this.#rows.end(connection);
  }

  due(): number | undefined {
    return this.#away.size > 0 ? Math.min(...this.#away.values()) : undefined;
  }

  run(now: number): void {
    for (const [connection, until] of this.#away)
      if (until <= now) this.#options.expired(connection);
  }
}

const isPolled = ({ transport }: Attached): boolean => transport === "LongPolling";

const LARGEST = Number.MAX_SAFE_INTEGER;
