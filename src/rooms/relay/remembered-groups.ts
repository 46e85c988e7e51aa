// Which rooms a client was in when its connection ended, and how far it came there: for a hub that puts a client
// which comes back into its groups again (`rememberGroups`).

import { formatPosition, parsePosition, type Position } from "../../model/position.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import type { Cause, LostMembership } from "../links/memberships.ts";
import type { RememberedRoom } from "../rpc/relay-rpc.ts";

export interface RememberedGroupsOptions {
  readonly sql: SqlStorage;
  readonly seconds: number;
  now(): number;
  arm(at: number): void;
  /** The position of this object in a room, or of a connection that is replaying. */
  positionIn(room: string, connection?: Connection): Position | undefined;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS clients (connection TEXT PRIMARY KEY, user TEXT, client TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS remembered (user TEXT, client TEXT, room TEXT, position TEXT, until INTEGER,
    connection TEXT, granted INTEGER, PRIMARY KEY (user, client, room)) WITHOUT ROWID;`;

/** A connection that is over, and what it was in. */
interface EndedConnection {
  readonly user: string;
  readonly client: string;
  readonly rooms: Iterable<readonly [room: string, cause: Cause]>;
  readonly id: string;
}

/** Rooms that a connection is in because of its token. */
export const tokenRoomsOf = ({ id, channels }: User): string[] => [
  ...channels.map((channel) => formatTopic(parseTopic(channel))),
  formatTopic({ kind: "user", name: id }),
];

export class RememberedGroups implements Duty {
  readonly #options: RememberedGroupsOptions;

  constructor(options: RememberedGroupsOptions) {
    this.#options = options;
    options.sql.exec(TABLES);
  }

  /** A client that names itself is here: should a crash end it, its name is known. */
  addClient({ id, user, attached: { client } }: Connection): void {
    if (client === undefined) return;
    const row = [id, user.id, client];
    this.#options.sql.exec("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", ...row);
  }

  removeClient({ id, attached: { client } }: Connection): void {
    if (client !== undefined)
      this.#options.sql.exec("DELETE FROM clients WHERE connection = ?", id);
  }

  /** It may come back, and is in these rooms. */
  keep(connection: Connection, rooms: ReadonlyMap<string, Cause>): void {
    const { id, user } = connection;
    const { client } = connection.attached;
    if (client !== undefined) this.#keep({ user: user.id, client, rooms, id }, connection);
  }

  /** It is back on its own connection, or said goodbye: what was kept of it is out of date. */
  forget({ user, attached: { client } }: Connection): void {
    if (client !== undefined) this.take(user.id, client);
  }

  has({ user, attached: { client } }: Connection): boolean {
    const query = "SELECT 1 FROM remembered WHERE user = ? AND client = ? LIMIT 1";
    return this.#options.sql.exec(query, user.id, client ?? "").toArray().length > 0;
  }

  /** After a wake: connections that a crash ended, by the rooms they were in. */
  keepLost(all: readonly LostMembership[]): void {
    for (const [connection, lost] of Map.groupBy(all, ({ connection: id }) => id)) {
      const query = "SELECT * FROM clients WHERE connection = ?";
      const [row] = this.#options.sql.exec(query, connection).toArray();
      if (!row) continue;
      this.#options.sql.exec("DELETE FROM clients WHERE connection = ?", connection);
      const [user, client] = [row["user"] as string, row["client"] as string];
      const rooms = lost.map(({ room, cause }) => [room, cause] as const);
      this.#keep({ user, client, rooms, id: connection });
    }
  }

  #keep({ user, client, rooms, id }: EndedConnection, ended?: Connection): void {
    const { sql, now, seconds, positionIn, arm } = this.#options;
    const until = now() + seconds * 1000;
    for (const [room, cause] of rooms) {
      const reached = positionIn(room, ended);
      const position = reached ? formatPosition(reached) : null;
      const row = [user, client, room, position, until, id, cause === "hub" ? 0 : 1];
      sql.exec("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
      arm(until);
    }
  }

  /** What the client was in; it is forgotten by that. */
  take(user: string, client: string): RememberedRoom[] {
    const { sql, now } = this.#options;
    const query = "DELETE FROM remembered WHERE user = ? AND client = ? RETURNING *";
    return sql
      .exec(query, user, client)
      .toArray()
      .filter(({ until }) => (until as number) > now())
      .map(({ room, position, connection, granted }) => ({
        granted: granted === 1,
        room: room as string,
        connection: connection as string,
        position: position === null ? undefined : parsePosition(position as string),
      }));
  }

  /** Whom it was for has gone again before it was back in them. */
  putBack({ user, attached: { client } }: Connection, rooms: readonly RememberedRoom[]): void {
    const { sql, now, seconds, arm } = this.#options;
    const until = now() + seconds * 1000;
    for (const { room, position, connection, granted } of rooms) {
      const at = position ? formatPosition(position) : null;
      const row = [user.id, client ?? "", room, at, until, connection, granted ? 1 : 0];
      sql.exec("INSERT OR IGNORE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
    }
    arm(until);
  }

  due(): number | undefined {
    const [row] = this.#options.sql.exec("SELECT min(until) AS due FROM remembered").toArray();
    return (row?.["due"] as number | null) ?? undefined;
  }

  run(now: number): void {
    this.#options.sql.exec("DELETE FROM remembered WHERE until <= ?", now);
  }
}
