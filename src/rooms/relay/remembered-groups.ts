// The rooms of a client when its connection ended, and its position in each: for hubs whose clients rejoin their groups
// when they return (`rememberGroups`, rejoin-groups.ts).
//
//   · Only for clients that name themselves. Rows survive sleep, crashes and deploys; they expire after `seconds`.
//   · After a crash the rooms are those of the membership rows, and the client's name is in `clients`.
//   · `take` deletes the rows: groups are given to one new connection. `putBack` writes them again until it has
//     rejoined: these rows have the id of the earlier connection, and keep their positions in a crash, because no
//     message after them has reached the client.
//   · A replay may be ahead of the object's own position in the room. Until that has caught up, the row has the new
//     connection's id and the end of the replay: otherwise a crash would repeat messages.

import type { Sql } from "../../model/stored-values.ts";
import {
  formatPosition,
  formatTopic,
  parsePosition,
  writtenTopic,
  type Position,
} from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { Connection } from "../connection/connection.ts";
import { isOpen, wasOpen } from "../connection/stage.ts";
import type { Cause, LostMembership } from "../links/follow-tables.ts";
import type { Command } from "../rpc/command.ts";
import type { RememberedRoom } from "../rpc/relay-rpc.ts";

interface RememberedGroupsOptions {
  readonly sql: Sql;
  /** How long groups are remembered. */
  readonly seconds: number;
  /** The most remembered clients of one user, because clients choose their names. The oldest are forgotten. */
  readonly clientsPerUser: number;
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

const ROW = "user = ? AND client = ? AND room = ?";
const REPLACED = `SET position = excluded.position, until = excluded.until,
  connection = excluded.connection, granted = excluded.granted`;

/** The later of two positions; `own` if their epochs differ, because such positions do not compare. */
const later = (own: Position | undefined, end: Position | undefined): Position | undefined =>
  !own || (end && own.epoch === end.epoch && own.offset < end.offset) ? end : own;

const wasEverOpen = (connection: Connection): boolean => isOpen(connection) || wasOpen(connection);

/** A connection that has ended, and the rooms it was in. */
interface EndedConnection {
  readonly user: string;
  readonly client: string;
  readonly rooms: Iterable<readonly [room: string, cause: Cause]>;
  readonly id: string;
}

/** Rooms that a connection is in because of its token, as topics. */
export const tokenRoomsOf = ({ id, channels }: User): string[] => [
  ...channels.map((channel) => formatTopic(writtenTopic(channel))),
  formatTopic({ kind: "user", name: id }),
];

export class RememberedGroups implements Duty {
  readonly #options: RememberedGroupsOptions;
  /** Rooms that connections have rejoined before they were opened. */
  readonly #rejoined = new WeakMap<Connection, string[]>();

  constructor(options: RememberedGroupsOptions) {
    this.#options = options;
    options.sql.exec(TABLES);
  }

  /** Writes the name of a connection's client, which is needed after a crash. */
  addClient({ id, user, attached: { client } }: Connection): void {
    if (client === undefined) return;
    const row = [id, user.id, client];
    this.#options.sql.exec("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", ...row);
  }

  /** Called when the connection has ended, and its groups were kept or forgotten. */
  removeClient({ id, attached: { client } }: Connection): void {
    if (client !== undefined)
      this.#options.sql.exec("DELETE FROM clients WHERE connection = ?", id);
  }

  /** Keeps the rooms of the connection, whose client may return. */
  keep(connection: Connection, rooms: ReadonlyMap<string, Cause>): void {
    const { id, user } = connection;
    const { client } = connection.attached;
    if (client !== undefined) this.#keep({ user: user.id, client, rooms, id }, connection);
  }

  /**
   * Called when the connection has rejoined a room, before its replay is written, or held until the connection opens.
   * Saves its position first: the platform holds the frames back until the row is durable.
   */
  rejoined(connection: Connection, room: string): void {
    if (isOpen(connection)) return this.#settle(connection, room);
    this.#rejoined.set(connection, [...(this.#rejoined.get(connection) ?? []), room]);
  }

  /** Called before the held frames are written, in the same turn. */
  opening(connection: Connection): void {
    for (const room of this.#rejoined.get(connection) ?? []) this.#settle(connection, room);
    this.#rejoined.delete(connection);
  }

  /** Drops the row, or sets it to a replay that is ahead. Frames of a resumable connection survive a crash anyway. */
  #settle(connection: Connection, room: string): void {
    const { sql, positionIn } = this.#options;
    const [own, end] = [positionIn(room), positionIn(room, connection)];
    const isAhead = end && later(own ?? end, end) === end;
    if (!isAhead || connection.resumable) return this.drop(connection, room);
    const key = [connection.user.id, connection.attached.client ?? "", room];
    const set = "UPDATE remembered SET position = ?, connection = ?";
    sql.exec(`${set} WHERE ${ROW}`, formatPosition(end), connection.id, ...key);
  }

  /** The client will not rejoin this room. */
  drop({ user, attached: { client = "" } }: Connection, room: string): void {
    this.#options.sql.exec(`DELETE FROM remembered WHERE ${ROW}`, user.id, client, room);
  }

  /** Deletes the groups of a client that has resumed its connection, or closed it on purpose. */
  forget({ user, attached: { client } }: Connection): void {
    if (client !== undefined) this.take(user.id, client);
  }

  /** Whether this room of the connection's client, by default any, is still remembered (see `forgetUser`). */
  has({ user, attached: { client = "" } }: Connection, room: string | null = null): boolean {
    const query =
      "SELECT 1 FROM remembered WHERE user = ? AND client = ? AND room = ifnull(?, room) LIMIT 1";
    return this.#options.sql.exec(query, user.id, client, room).toArray().length > 0;
  }

  /** Called when a service removes the user from rooms: clients that are away do not rejoin them. */
  forgetUser(user: string, commands: readonly Command[]): void {
    const { sql } = this.#options;
    for (const command of commands)
      if (command.type === "leave")
        sql.exec("DELETE FROM remembered WHERE user = ? AND room = ?", user, command.room);
      else if (command.type === "leaveGroups")
        sql.exec("DELETE FROM remembered WHERE user = ? AND room GLOB 'group:*'", user);
  }

  /** Whether clients of the user are remembered in any room. */
  hasUser(user: string): boolean {
    const query = "SELECT 1 FROM remembered WHERE user = ? LIMIT 1";
    return this.#options.sql.exec(query, user).toArray().length > 0;
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
    const ahead = this.#takeAhead(user, client, id);
    // Rows keep their positions if the connection never opened or a crash ended it: the client may lack the messages.
    const keepsRows = !ended || !wasEverOpen(ended);
    const conflict = keepsRows ? "SET until = excluded.until" : REPLACED;
    for (const [room, cause] of rooms) {
      const reached = later(positionIn(room, ended), ahead.get(room));
      const position = reached ? formatPosition(reached) : null;
      const row = [user, client, room, position, until, id, cause === "hub" ? 0 : 1];
      const insert = "INSERT INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)";
      sql.exec(`${insert} ON CONFLICT DO UPDATE ${conflict}`, ...row);
      arm(until);
    }
    this.#dropOldest(user);
  }

  #dropOldest(user: string): void {
    const newest =
      "SELECT client FROM remembered WHERE user = ? GROUP BY client ORDER BY max(until) DESC LIMIT ?";
    const { sql, clientsPerUser } = this.#options;
    const query = `DELETE FROM remembered WHERE user = ? AND client NOT IN (${newest})`;
    // A limit in SQL is a whole number; an unlimited hub gets the largest.
    sql.exec(query, user, user, Math.floor(Math.min(clientsPerUser, Number.MAX_SAFE_INTEGER)));
  }

  /** Takes the ends of the connection's replays, which the object's own position may not have reached yet. */
  #takeAhead(user: string, client: string, id: string): ReadonlyMap<string, Position> {
    const query =
      "DELETE FROM remembered WHERE user = ? AND client = ? AND connection = ? RETURNING room, position";
    const rows = this.#options.sql.exec(query, user, client, id).toArray();
    return new Map(
      rows.flatMap(({ room, position }) => {
        const end = position === null ? undefined : parsePosition(position as string);
        return end ? [[room as string, end] as const] : [];
      }),
    );
  }

  /** Returns the rooms of the client's earlier connection, and deletes them. */
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

  /**
   * Writes rooms again that the connection has not rejoined yet. Does not replace rows that its end has written since.
   */
  putBack({ user, attached: { client } }: Connection, rooms: readonly RememberedRoom[]): void {
    const { sql, now, seconds, arm } = this.#options;
    const until = now() + seconds * 1000;
    for (const { room, position, connection, granted } of rooms) {
      const at = position ? formatPosition(position) : null;
      const row = [user.id, client ?? "", room, at, until, connection, granted ? 1 : 0];
      sql.exec("INSERT OR IGNORE INTO remembered VALUES (?, ?, ?, ?, ?, ?, ?)", ...row);
      arm(until);
    }
  }

  due(): number | undefined {
    const [row] = this.#options.sql.exec("SELECT min(until) AS due FROM remembered").toArray();
    return (row?.["due"] as number | null) ?? undefined;
  }

  run(now: number): void {
    this.#options.sql.exec("DELETE FROM remembered WHERE until <= ?", now);
  }
}
