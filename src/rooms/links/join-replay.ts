// Replay at a join: a connection joins a room from an earlier position on, while its object may follow the room already
// and live batches go on. Each entry after that position is delivered once, by the replay or live, and in order:
//
//   1. `begin`: live batches skip the connection.
//   2. The object joins the room, then fetches the missed entries (`fetchMissed`) until they reach the live position.
//   3. `reach`: live batches skip the connection up to the replay's end, and include it from there on.

import type { Position } from "../../model/position.ts";
import type { Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { HistoryView } from "../rpc/log-entry.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import type { Cause } from "./follow-tables.ts";

/** Gets what a connection missed; `recovered` is false where the log no longer has all of it. */
export type DeliverReplay = (missed: HistoryView) => void;

export interface ReplayRequest {
  readonly topic: Topic;
  readonly since: Position | undefined;
  /** How many rooms a connection may be in. */
  readonly most: number;
  readonly cause: Cause;
}

/** Members of one followed room whose replay is not over, and up to which position each has everything. */
export class JoinReplays {
  /** The end of each replay; undefined where it is still to come, so that no live entry is for this member. */
  readonly until = new Map<Connection, Position | undefined>();
  readonly #since = new Map<Connection, Position | undefined>();

  /** From here on live batches skip this connection until its replay is complete. */
  begin(connection: Connection, since: Position | undefined): void {
    this.until.set(connection, undefined);
    this.#since.set(connection, since);
  }

  /** The position of this connection, in an object whose own position is `here`. */
  positionOf(connection: Connection, here: Position | undefined): Position | undefined {
    if (!this.until.has(connection)) return here;
    const until = this.until.get(connection);
    if (!until) return this.#since.get(connection);
    return here && !isBehind(here, until) ? here : until;
  }

  /** Its replay reaches up to here. */
  reach(connection: Connection, position: Position): void {
    this.until.set(connection, position);
    this.#since.delete(connection);
  }

  end(connection: Connection): void {
    this.until.delete(connection);
    this.#since.delete(connection);
  }

  /** Members that get this entry by their replay. One whose replay ends before it gets live entries from here on. */
  have(epoch: string, offset: number): ReadonlySet<Connection> {
    const have = new Set<Connection>();
    for (const [connection, until] of this.until)
      if (!until || (until.epoch === epoch && offset <= until.offset)) have.add(connection);
      else this.until.delete(connection);
    return have;
  }
}

/** Fetches missed entries until they reach the position that live batches have `delivered` meanwhile. */
export async function fetchMissed(
  room: Pick<RoomRpc, "missed">,
  since: Position | undefined,
  delivered: () => Position | undefined,
): Promise<HistoryView> {
  const first = await room.missed(since);
  const entries = [...first.entries];
  let { position } = first;
  while (isBehind(position, delivered())) {
    // oxlint-disable-next-line no-await-in-loop -- each answer gives the position of the next request
    const next = await room.missed(position);
    entries.push(...next.entries);
    position = next.position;
  }
  return { entries, position, recovered: first.recovered };
}

/** Positions of different epochs do not compare: the log was erased meanwhile, and there is nothing to wait for. */
const isBehind = (one: Position, other: Position | undefined): boolean =>
  other !== undefined && one.epoch === other.epoch && one.offset < other.offset;
