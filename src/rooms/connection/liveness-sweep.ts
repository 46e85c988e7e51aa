// Finds connections that must end without an event, and closes them. Runs by alarm, because a timer would keep the
// object awake.
//
//   expired token                                  when it expires
//   deadline passed (handshake, resume, request)   at the deadline
//   no ping for `silentSeconds`                    at the next sweep, every `sweepSeconds`, or every hour if nobody
//                                                  could notice; at once if its user has too many connections, and
//                                                  before connections or users are read
//   poll of 105 s, whose worker is lost            as without pings: a worker answers every poll within 90 s
//   socket takes no bytes (`isStuck`)              at the second sweep that finds it so
//
// Pings are expected only from clients that have announced them (ours do, Microsoft's by their name), have pinged, or
// answer pings of the server. ASP.NET Core, too, starts a client's timeout at its first ping. Other clients end when
// they have sent nothing for `limits.unheardSeconds`: a client that only receives looks like one that is lost half
// open.

import { CLOSE } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import { accountOf, type AccountUser } from "../../model/user.ts";
import { BETWEEN_POLLS_MS, POLL_MS } from "../../model/wire-constants.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Attached } from "./attachment.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { queuedBytes } from "./socket-queue.ts";

interface LivenessSweepOptions {
  /** Has the runtime's record of the last ping of a socket that it has answered. */
  readonly state: Pick<DurableObjectState, "getWebSocketAutoResponseTimestamp">;
  readonly settings: RoomSettings;
  /** Milliseconds between two sweeps, as of now. */
  sweepMs(): number;
  readonly connections: ConnectionTable;
}

export class LivenessSweep implements Duty {
  readonly #options: LivenessSweepOptions;
  /** Milliseconds since 1970; 0 after a wake, so that the next alarm sweeps and frequent wakes do not put it off. */
  #sweptAt = 0;
  #lookedAt = 0;

  constructor(options: LivenessSweepOptions) {
    this.#options = options;
  }

  /** The next expiry of a token, the next deadline, or the next sweep. */
  due(): number | undefined {
    const { connections, sweepMs } = this.#options;
    const { all } = connections;
    if (all.size === 0) return undefined;
    let first = this.#sweptAt + sweepMs();
    for (const { user, attached } of all)
      first = Math.min(first, user.expiresAt, attached.deadline ?? Infinity);
    return first;
  }

  /**
   * Checks expiry and deadlines at every alarm. A sweep, which reads the runtime's time of each socket, is less
   * frequent.
   */
  run(now: number): void {
    const { connections, sweepMs } = this.#options;
    const isSweep = now - this.#sweptAt >= sweepMs();
    if (isSweep) this.#sweptAt = now;
    for (const connection of connections.all) {
      const { user, attached } = connection;
      const isLate = (attached.deadline ?? Infinity) <= now;
      if (user.expiresAt <= now) connections.close(connection, CLOSE.expired);
      else if (isLate || (isSweep && this.#isSilent(connection, now)))
        connections.close(connection, CLOSE.silent);
      else if (isSweep && isStuck(connection)) connections.close(connection, CLOSE.slow);
    }
  }

  /** Closes the silent connections of this account. */
  endSilent(user: AccountUser, now: number): void {
    const { connections } = this.#options;
    for (const connection of [...connections.byUser.named(accountOf(user))])
      if (this.#isSilent(connection, now)) connections.close(connection, CLOSE.silent);
  }

  /** Called before connections are read: closes lost ones, unless that was done within `sweepSeconds`. */
  look(now: number): void {
    const { sweepSeconds } = this.#options.settings;
    if (now - Math.max(this.#sweptAt, this.#lookedAt) < sweepSeconds * 1000) return;
    this.#lookedAt = now;
    this.endAllSilent(now);
  }

  /** Closes all connections that are silent or have lost their socket, and returns them. */
  endAllSilent(now: number): Connection[] {
    const { connections } = this.#options;
    const silent = [...connections.all].filter(
      (one) => one.socket?.readyState === WebSocket.CLOSED || this.#isSilent(one, now),
    );
    for (const connection of silent) connections.close(connection, CLOSE.silent);
    return silent;
  }

  /** False for a client between two polls, for which there is a time limit of its own. */
  #isSilent({ socket, heardAt, attached }: Connection, now: number): boolean {
    if (!socket) return false;
    if (attached.transport === "LongPolling") return now - heardAt > POLL_MS + BETWEEN_POLLS_MS;
    const { settings, state } = this.#options;
    const pingedAt = state.getWebSocketAutoResponseTimestamp(socket)?.getTime();
    const { silentSeconds, limits } = settings;
    const pings = pingedAt !== undefined || isKnownToPing(attached);
    const most = pings ? silentSeconds : limits.unheardSeconds;
    return now - Math.max(pingedAt ?? 0, heardAt) > most * 1000;
  }
}

/** Whether the client pings, or answers pings, according to its attachment. */
const isKnownToPing = ({ pings, serverPings }: Attached): boolean =>
  pings === true || serverPings === "none" || serverPings === "answered";

/**
 * workerd (2026-11-17) reports no end of some sockets: reset while the upgrade is answered, or between a ping and a
 * broken frame. Such a socket is closed without an event, or open and takes nothing (or less than was added) between
 * two sweeps.
 */
function isStuck(connection: Connection): boolean {
  const { socket, flow } = connection;
  const { backlog, written } = flow;
  if (socket?.readyState === WebSocket.CLOSED) return true;
  const waited = queuedBytes(connection);
  flow.backlog = waited > 0 ? { waited, written } : undefined;
  return (
    backlog !== undefined && waited > 0 && waited - backlog.waited >= written - backlog.written
  );
}
