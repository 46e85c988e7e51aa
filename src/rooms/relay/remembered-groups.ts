// The rooms that a client was in when its connection ended, and its position in each: for hubs whose clients rejoin
// their groups when they come back (`rememberGroups`). How they rejoin is in rejoin-groups.ts.
//
//   · Only for clients that name themselves. Rows survive sleep, crashes and deploys; they expire after `seconds`.
//   · After a crash the rooms are those of the membership rows, and the client's name is in `clients`.
//   · `take` deletes: groups are given to one new connection. `putBack` undoes that where it has ended before it
//     rejoined.

import { formatPosition, parsePosition, type Position } from "../../model/position.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import type { Cause, LostMembership } from "../links/follow-tables.ts";
import type { RememberedRoom } from "../rpc/relay-rpc.ts";

interface RememberedGroupsOptions {
  readonly sql: SqlStorage;
  /** How long groups are remembered. */
  readonly seconds: number;
  now(): number;
  /** Requests a call of `run` at this time or earlier. */
  arm(at: number): void;
  /** The position of this object in a room, or of a connection that is replaying. */
  positionIn(room: string, connection?: Connection): Position | undefined;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS clients (connection TEXT PRIMARY KEY, user TEXT, client TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS remembered (user TEXT, client TEXT, room TEXT, position TEXT, until INTEGER,
    connection TEXT, granted INTEGER, PRIMARY KEY (user, client, room)) WITHOUT ROWID;`;

/** A connection that has ended, and the rooms it was in. */
interface EndedConnection {
  readonly user: string;
  readonly client: string;
  readonly rooms: Iterable<readonly [room: string, cause: Cause]>;
  readonly id: string;
}

/** Rooms that a connection is in because of its token, as topics. */
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

  /** The connection of a client that names itself has begun: after a crash its row gives the name. */
  addClient({ id, user, attached: { client } }: Connection): void {
    if (client === undefined) return;
    const row = [id, user.id, client];
    this.#options.sql.exec("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", ...row);
  }

  /** The connection has ended, and its groups were kept or forgotten. */
  removeClient({ id, attached: { client } }: Connection): void {
    if (client !== undefined)
      this.#options.sql.exec("DELETE FROM clients WHERE connection = ?", id);
  }

  /** The client may come back: keeps the rooms of its connection. */
  keep(connection: Connection, rooms: ReadonlyMap<string, Cause>): void {
    const { id, user } = connection;
    const { client } = connection.attached;
    if (client !== undefined) this.#keep({ user: user.id, client, rooms, id }, connection);
  }

  /** The client has resumed its own connection, or closed it on purpose: deletes its remembered groups. */
  forget({ user, attached: { client } }: Connection): void {
    if (client !== undefined) this.take(user.id, client);
  }

  /** Whether groups of the connection's client are remembered. */
  has({ user, attached: { client } }: Connection): boolean {
    const query = "SELECT 1 FROM remembered WHERE user = ? AND client = ? LIMIT 1";
    return this.#options.sql.exec(query, user.id, client ?? "").toArray().length > 0;
  }

  /** After a wake: keeps the rooms of connections that a crash ended. */
  keepLost(memberships: readonly LostMembership[]): void {
    for (const [connection, lost] of Map.groupBy(memberships, ({ connection: id }) => id)) {
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
      const reachedPosition = positionIn(room, ended);
      const position = reachedPosition ? formatPosition(reachedPosition) : null;
      const row = [user, client, room, position, until, id, cause === "hub" ? 0 : 1];
      sql.exec("INSERT OR REPLACE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
      arm(until);
    }
  }

  /** The rooms of the client's connection before; deletes them. */
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

  /** The connection has ended before it rejoined these rooms. Does not replace what was kept of it since. */
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
