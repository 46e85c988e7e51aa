// How one connection joins a room that its object follows already, from an earlier position on: the room gives what
// was missed, and batches go on meanwhile. Neither twice, nor with a hole.

import type { Position } from "../../model/position.ts";
import type { Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { Cause } from "./memberships.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import type { HistoryView } from "../rpc/log-entry.ts";

/** Gets what a connection missed; `recovered` is false where the log no longer has all of it. */
export type Tell = (missed: HistoryView) => void;

export interface CatchUp {
  readonly topic: Topic;
  readonly since: Position | undefined;
  /** Rooms that a connection may be in. */
  readonly most: number;
  readonly cause: Cause;
}

/** Of one followed room: who was told otherwise what batches bring, and up to where. */
export class JoinReplays {
  readonly #until = new Map<Connection, Position | undefined>();
  readonly #since = new Map<Connection, Position | undefined>();

  /** From now on batches are none of this connection's business. */
  begin(connection: Connection, since: Position | undefined): void {
    this.#until.set(connection, undefined);
    this.#since.set(connection, since);
  }

  /** How far this connection came, in an object that stands here. */
  standOf(connection: Connection, here: Position | undefined): Position | undefined {
    if (!this.#until.has(connection)) return here;
    const until = this.#until.get(connection);
    if (!until) return this.#since.get(connection);
    return here && !isBehind(here, until) ? here : until;
  }

  /** It has all up to here. */
  reached(connection: Connection, position: Position): void {
    this.#until.set(connection, position);
    this.#since.delete(connection);
  }

  end(connection: Connection): void {
    this.#until.delete(connection);
    this.#since.delete(connection);
  }

  /** Those who have this message already; whoever has come past it is like everybody. */
  have(epoch: string, offset: number): ReadonlySet<Connection> | undefined {
    if (this.#until.size === 0) return undefined;
    const have = new Set<Connection>();
    for (const [connection, until] of this.#until)
      if (!until || (until.epoch === epoch && offset <= until.offset)) have.add(connection);
      else this.#until.delete(connection);
    return have;
  }
}

/** Asks the room until what it gives reaches as far as what batches have brought meanwhile. */
export async function fetchMissed(
  room: Pick<RoomRpc, "missed">,
  since: Position | undefined,
  standing: () => Position | undefined,
): Promise<HistoryView> {
  const first = await room.missed(since);
  const entries = [...first.entries];
  let { position } = first;
  while (isBehind(position, standing())) {
    // oxlint-disable-next-line no-await-in-loop -- each answer says where the next one begins
    const next = await room.missed(position);
    entries.push(...next.entries);
    position = next.position;
  }
  return { entries, position, recovered: first.recovered };
}

/** A room whose log was erased meanwhile stands elsewhere, and there is nothing to wait for. */
const isBehind = (one: Position, other: Position | undefined): boolean =>
  other !== undefined && one.epoch === other.epoch && one.offset < other.offset;
