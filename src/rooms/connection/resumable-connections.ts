// The resumable connections of one object, in SQLite: those whose client is away are restored from there, and given
// up when it stays away too long.

import { CLOSE } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { Encoded, Incoming } from "../../model/message.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import { attachTo, type Attached } from "./attachment.ts";
import { connectionOf, save, type Connection } from "./connection.ts";
import type { ConnectionTable } from "./connection-table.ts";
import { goAway } from "./stage.ts";
import {
  ReplayBuffer,
  type ReplayLimits,
  type ReplayRows,
  type ReplayState,
} from "./replay-buffer.ts";

const TABLES = `
  CREATE TABLE IF NOT EXISTS resumables (connection TEXT PRIMARY KEY, attached TEXT,
    received INTEGER, confirmed INTEGER, away INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unconfirmed (connection TEXT, last INTEGER, first INTEGER, frame,
    PRIMARY KEY (connection, last)) WITHOUT ROWID;`;

/** How long a confirmation waits for more to confirm. */
const CONFIRM_MS = 1_000;

export interface ResumablesOptions {
  readonly sql: SqlStorage;
  readonly connections: ConnectionTable;
  readonly limits: ReplayLimits;
  /** How long a client may be away from its socket, and between two polls. */
  readonly awayMs: number;
  readonly betweenPollsMs: number;
  arm(at: number): void;
  /** Nobody came back. */
  lost(connection: Connection): void;
}

export class ResumableConnections implements Duty {
  readonly #options: ResumablesOptions;
  /** Whose client is away, and until when it may come back. */
  readonly #away = new Map<Connection, number>();
  /** Those whose messages will be confirmed within a second. */
  readonly #confirming = new Set<Connection>();

  constructor(options: ResumablesOptions) {
    this.#options = options;
    options.sql.exec(TABLES);
  }

  /** After a wake: sockets that slept find their state again, and connections whose socket is gone are away. */
  restore(now: number): void {
    const { sql, connections } = this.#options;
    for (const row of sql.exec("SELECT * FROM resumables").toArray()) {
      const id = row["connection"] as string;
      const known = connections.get(id);
      const connection = known ?? connectionOf(undefined, JSON.parse(row["attached"] as string));
      const confirmed = row["confirmed"] as number;
      const state = { received: row["received"] as number, confirmed, unconfirmed: this.#kept(id) };
      connection.resumable = this.#resumable(connection, state);
      if (!known) connections.adopt(connection);
      if (!known) this.#lostAsleep(connection, row["away"] as number | null, now);
    }
  }

  /** From the first wake on that finds its socket gone, and not from each anew. */
  #lostAsleep(connection: Connection, since: number | null, now: number): void {
    goAway(connection);
    if (since === null) this.#mark(connection, now);
    this.#gone(connection, since ?? now);
  }

  #kept(id: string) {
    const rows = this.#options.sql.exec(
      "SELECT first, last, frame FROM unconfirmed WHERE connection = ? ORDER BY last",
      id,
    );
    return rows.toArray().map(({ first, last, frame }) => ({
      first: first as number,
      last: last as number,
      frame: frame instanceof ArrayBuffer ? new Uint8Array(frame) : (frame as string),
    }));
  }

  #resumable({ id, attached }: Connection, state: ReplayState): ReplayBuffer {
    const { limits } = this.#options;
    const polled = { window: Infinity, most: limits.most, byFrame: true };
    return new ReplayBuffer(this.#rows(id), isPolled(attached) ? polled : limits, state);
  }

  #rows(id: string): ReplayRows {
    const { sql } = this.#options;
    const set = (column: string, value: SqlStorageValue) =>
      sql.exec(`UPDATE resumables SET ${column} = ? WHERE connection = ?`, value, id);
    return {
      attached: (attached) => set("attached", JSON.stringify(attached)),
      received: (count) => set("received", count),
      sent: ({ first, last, frame }) =>
        sql.exec("INSERT INTO unconfirmed VALUES (?, ?, ?, ?)", id, last, first, bound(frame)),
      confirmed: (upTo) => {
        sql.exec("DELETE FROM unconfirmed WHERE connection = ? AND last <= ?", id, upTo);
        set("confirmed", upTo);
      },
    };
  }

  /** From now on the connection survives its socket. */
  begin(connection: Connection): void {
    const row = [connection.id, JSON.stringify(connection.attached)];
    this.#options.sql.exec("INSERT OR REPLACE INTO resumables VALUES (?, ?, 0, 0, NULL)", ...row);
    const state = { received: 0, confirmed: 0, unconfirmed: [] };
    connection.resumable = this.#resumable(connection, state);
  }

  /** The socket broke: what is said meanwhile is kept. */
  dropped(connection: Connection, now: number): void {
    this.#options.connections.detach(connection);
    this.#mark(connection, now);
    this.#gone(connection, now);
  }

  #mark({ id }: Connection, at: number | null): void {
    this.#options.sql.exec("UPDATE resumables SET away = ? WHERE connection = ?", at, id);
  }

  #gone(connection: Connection, at: number): void {
    const { awayMs, betweenPollsMs } = this.#options;
    const until = at + (isPolled(connection.attached) ? betweenPollsMs : awayMs);
    this.#away.set(connection, until);
    this.#options.arm(until);
  }

  /** A poll of the client's: an older one that still hangs is over. */
  polled(connection: Connection, socket: WebSocket): void {
    const { connections } = this.#options;
    const old = connection.socket;
    connections.detach(connection);
    closeQuietly(old, REPLACED);
    connections.reattach(connection, socket);
    this.#away.delete(connection);
    this.#mark(connection, null);
    save(connection, {});
    connections.write(connection, connection.resumable?.polled() ?? [], true);
  }

  /** The client is back on a new socket, and says where it goes on before `deadline`. */
  resumed(connection: Connection, socket: WebSocket, change: Partial<Attached>): void {
    const { connections } = this.#options;
    // First what may be refused: then nothing has changed.
    attachTo(socket, { ...connection.attached, ...change });
    const old = connection.socket;
    connections.detach(connection);
    closeQuietly(old);
    connections.reattach(connection, socket);
    this.#away.delete(connection);
    this.#mark(connection, null);
    save(connection, change);
    const { sequence, frames } = connection.resumable!.resume();
    const first: Encoded = connection.protocol.encode({ type: "sequence", sequence });
    connections.write(connection, [first, ...frames]);
  }

  /** Whether a message is to be dispatched; the protocol's own words about resuming are done with here. */
  take(connection: Connection, message: Incoming): boolean {
    const { resumable } = connection;
    if (message.type === "ack") this.#confirm(connection, message.sequence);
    else if (message.type === "sequence") this.#goOn(connection, message.sequence);
    else return resumable ? this.#counts(connection, resumable, message) : true;
    return false;
  }

  #confirm(connection: Connection, upTo: number): void {
    const frames = connection.resumable?.confirm(upTo) ?? [];
    this.#options.connections.write(connection, frames);
  }

  #goOn(connection: Connection, sequence: number): void {
    if (!connection.resumable) return;
    if (connection.resumable.goOn(sequence)) {
      // A confirmation that was due while the client was away went nowhere.
      if (connection.resumable.received > 0) this.#confirmSoon(connection);
      return save(connection, { deadline: undefined });
    }
    // It would go on beyond what was received.
    logWarning("resume_impossible", { user: connection.user.id });
    this.#options.connections.close(connection, CLOSE.malformed);
  }

  #counts(connection: Connection, resumable: ReplayBuffer, message: Incoming): boolean {
    const before = resumable.received;
    const isTaken = resumable.takes(message);
    if (resumable.received > before) this.#confirmSoon(connection);
    return isTaken;
  }

  /** Once a second at most, and not at all while nothing comes. */
  #confirmSoon(connection: Connection): void {
    if (this.#confirming.has(connection)) return;
    this.#confirming.add(connection);
    setTimeout(() => {
      this.#confirming.delete(connection);
      const sequence = connection.resumable?.received;
      if (sequence === undefined) return;
      const ack = connection.protocol.encode({ type: "ack", sequence });
      this.#options.connections.write(connection, [ack]);
    }, CONFIRM_MS);
  }

  /** The connection is over: nobody can come back to it. */
  end(connection: Connection): void {
    if (!connection.resumable) return;
    connection.resumable = undefined;
    this.#away.delete(connection);
    const { sql } = this.#options;
    sql.exec("DELETE FROM resumables WHERE connection = ?", connection.id);
    sql.exec("DELETE FROM unconfirmed WHERE connection = ?", connection.id);
  }

  due(): number | undefined {
    return this.#away.size > 0 ? Math.min(...this.#away.values()) : undefined;
  }

  run(now: number): void {
    for (const [connection, until] of this.#away) if (until <= now) this.#options.lost(connection);
  }
}

const isPolled = ({ transport }: Attached): boolean => transport === "LongPolling";

/** Tells a hanging poll that another has taken its place. */
export const REPLACED = 4000;

/** SQLite takes buffers, not views. */
const bound = (frame: Encoded): string | ArrayBuffer =>
  typeof frame === "string" ? frame : (frame.slice().buffer as ArrayBuffer);

/** Replaced by another: no word of ours, which its client would take for the end. */
function closeQuietly(socket: WebSocket | undefined, code = 1000): void {
  try {
    socket?.close(code);
  } catch {
    // Closed already.
  }
}
