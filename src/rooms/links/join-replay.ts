// Replay at a join: a connection joins a room from an earlier position on, while its object may follow the room already
// and get live batches. Each entry after that position is delivered once, by the replay or live, and in order:
//
//   1. `begin`: live batches skip the connection.
//   2. The object joins the room, then fetches the missed entries (`fetchMissed`) until they reach the live position.
//   3. `reach`: live batches skip the connection up to the replay's end, and include it from there on.

import { HubError } from "../../model/errors.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { unlessRefused } from "../rpc/fault.ts";
import type { MissedView } from "../rpc/log-entry.ts";
import { retryOnce } from "../rpc/retry-once.ts";
import type { RoomRpc } from "../rpc/room-rpc.ts";
import type { Cause } from "./follow-tables.ts";

/** Gets the missed entries of a connection; `recovered` is false if the log no longer has all of them. */
export type DeliverReplay = (missed: MissedView) => void;

export interface JoinRequest {
  readonly topic: Topic;
  /** How many rooms a connection may be in. */
  readonly most: number;
  readonly cause: Cause;
}

export interface ReplayRequest extends JoinRequest {
  readonly since: Position | undefined;
  /** The answer also has the users in the room. */
  readonly showsPresent?: boolean;
  /** The answer has the state, if the room has one, even if all changes can be replayed. */
  readonly wantsState?: boolean | undefined;
}

/** Members of one followed room whose replay is not over, and the position up to which each has all entries. */
export class JoinReplays {
  /** The end of each replay; undefined before it has come: until then no live entry is for this member. */
  readonly until = new Map<Connection, Position | undefined>();
  readonly #since = new Map<Connection, Position | undefined>();
  /** Members that skipped live entries because their replay had not come yet. */
  readonly #skipped = new Set<Connection>();

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

  /** Called when the member's replay has come, which ends at this position. */
  reach(connection: Connection, position: Position): void {
    this.until.set(connection, position);
    this.#since.delete(connection);
    this.#skipped.delete(connection);
  }

  /** Ends a replay. True if the member has skipped live entries, and its replay has not come. */
  end(connection: Connection): boolean {
    this.until.delete(connection);
    this.#since.delete(connection);
    return this.#skipped.delete(connection);
  }

  /** Members that get this entry by their replay. A replay that ends before it is over: live entries follow. */
  have(epoch: string, offset: number): ReadonlySet<Connection> {
    const have = new Set<Connection>();
    for (const [connection, until] of this.until)
      if (!until) this.#skipped.add(connection);
      else if (until.epoch !== epoch || offset > until.offset) this.until.delete(connection);
    for (const connection of this.until.keys()) have.add(connection);
    return have;
  }
}

/** A connection's replay in one room. */
interface Replay extends Pick<ReplayRequest, "since"> {
  readonly replays: JoinReplays;
  readonly deliver: DeliverReplay;
}

/** The connection's membership of that room. */
interface Joining {
  isMember(): boolean;
  join(): Promise<void>;
  missed(): Promise<MissedView>;
  remove(): void;
  /** Ends the connection; its client returns. */
  close(): void;
}

/**
 * Runs the three steps. Rejects with their errors, and with `cancelled` if the connection has left meanwhile. After a
 * failure live batches would leave a gap, and the next attempt would repeat them. So a connection that was no member
 * before is removed, and one that was is closed if it has missed entries.
 */
export async function replayAtJoin(
  connection: Connection,
  { replays, since, deliver }: Replay,
  joining: Joining,
): Promise<void> {
  const wasMember = joining.isMember();
  replays.begin(connection, since);
  try {
    await joining.join();
    const missed = await joining.missed();
    // The connection left, or a fresh token did not admit it, during the calls to the room.
    if (!joining.isMember())
      throw new HubError("cancelled", "The connection has left the room meanwhile.");
    replays.reach(connection, missed.position);
    deliver(missed);
  } catch (error) {
    const hasGap = replays.end(connection);
    if (!wasMember && joining.isMember()) joining.remove();
    if (wasMember && hasGap && joining.isMember()) joining.close();
    throw error;
  }
}

/**
 * Fetches missed entries, by a fresh stub for each call, until they reach the position that live batches have
 * `delivered` meanwhile. Not recovered if the log begins a new epoch meanwhile: entries of the old one are dropped.
 */
export async function fetchMissed(
  { room }: { room(topic: Topic): Pick<RoomRpc, "missed"> },
  { topic, since, showsPresent, wantsState }: Omit<ReplayRequest, "most" | "cause">,
  delivered: () => Position | undefined,
): Promise<MissedView> {
  const missed = async (from: Position | undefined, asksState?: boolean) =>
    unlessRefused(await retryOnce(() => room(topic).missed(from, showsPresent, asksState)));
  let epoch = delivered()?.epoch;
  // Only the first request wants the state: in a busy room every further answer would have it again.
  let view = await missed(since, wantsState);
  while (isBehind(view.position, delivered()) || isOutdated(view.position, epoch, delivered())) {
    epoch = delivered()?.epoch;
    // oxlint-disable-next-line no-await-in-loop -- each answer gives the position of the next request
    const next = await missed(view.position);
    view = next.recovered ? joined(view, next) : next;
  }
  return view;
}

/** Joins two answers. A newer snapshot replaces the older changes; an older one comes before the newer changes. */
function joined(view: MissedView, next: MissedView): MissedView {
  const before = next.state
    ? view.entries.filter(({ target }) => target !== STATE_TARGET)
    : view.entries;
  const state = next.state ?? view.state;
  const entries = [...before, ...next.entries];
  return { ...next, entries, recovered: view.recovered, ...(state && { state }) };
}

/** Whether live batches of a new epoch came during the call to the room, whose answer is of the old one. */
const isOutdated = (one: Position, epoch: string | undefined, other: Position | undefined) =>
  other !== undefined && other.epoch !== epoch && other.epoch !== one.epoch;

/** Positions of different epochs do not compare. */
const isBehind = (one: Position, other: Position | undefined): boolean =>
  other !== undefined && one.epoch === other.epoch && one.offset < other.offset;
