// Which connections have come to their end without a word: the silent, the stuck, those whose token has expired, and
// those that never said what they must say first. Found by alarm: a timer would keep the object awake.

import { CLOSE } from "../../model/errors.ts";
import type { RoomSettings } from "../../model/options.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "./connection.ts";
import { queuedBytes, type ConnectionTable } from "./connection-table.ts";

/** Asks the runtime when it last answered a socket's ping asleep. */
export type PingState = Pick<DurableObjectState, "getWebSocketAutoResponseTimestamp">;

export class LivenessSweep implements Duty {
  readonly #state: PingState;
  readonly #settings: RoomSettings;
  readonly #connections: ConnectionTable;
  /** Unknown after a wake: the next alarm looks, so that frequent wakes do not put it off. */
  #sweptAt = 0;

  constructor(state: PingState, settings: RoomSettings, connections: ConnectionTable) {
    this.#state = state;
    this.#settings = settings;
    this.#connections = connections;
  }

  get #sweepMs(): number {
    return this.#settings.sweepSeconds * 1000;
  }

  /** The next expiry of a token, the end of somebody's patience, or the next look for silent sockets. */
  due(): number | undefined {
    const { all } = this.#connections;
    if (all.size === 0) return undefined;
    let first = this.#sweptAt + this.#sweepMs;
    for (const { user, attached } of all)
      first = Math.min(first, user.expiresAt, attached.deadline ?? Infinity);
    return first;
  }

  /** A look for the silent asks the runtime about each socket, so it does not come with every alarm. */
  run(now: number): void {
    const sweeps = now - this.#sweptAt >= this.#sweepMs;
    if (sweeps) this.#sweptAt = now;
    for (const connection of this.#connections.all) {
      const { user, attached } = connection;
      if (user.expiresAt <= now) this.#connections.close(connection, CLOSE.expired);
      else if ((attached.deadline ?? Infinity) <= now)
        this.#connections.close(connection, CLOSE.silent);
      else if (sweeps && this.#isSilent(connection, now))
        this.#connections.close(connection, CLOSE.silent);
      else if (sweeps && isStuck(connection)) this.#connections.close(connection, CLOSE.slow);
    }
  }

  /** Only who has pinged before can fall silent: a bare partysocket never pings. */
  #isSilent({ socket, heardAt, attached }: Connection, now: number): boolean {
    const pingedAt = socket && this.#state.getWebSocketAutoResponseTimestamp(socket)?.getTime();
    if (!socket || (pingedAt === undefined && !attached.pings)) return false;
    return now - Math.max(pingedAt ?? 0, heardAt) > this.#settings.silentSeconds * 1000;
  }
}

/**
 * workerd (2026-11-17) says nothing of some that end: reset while the upgrade is answered, or between a ping and a
 * broken frame. Their socket is closed without an event, or open and takes nothing (or less than was added) between two sweeps.
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
