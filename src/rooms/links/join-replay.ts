// Replay at a join: a connection joins a room from an earlier position on, while its object may follow the room already
// and live batches go on. Each entry after that position is delivered once, by the replay or live, and in order:
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

/** Gets what a connection missed; `recovered` is false where the log no longer has all of it. */
export type DeliverReplay = (missed: MissedView) => void;

export interface JoinRequest {
  readonly topic: Topic;
  /** How many rooms a connection may be in. */
  readonly most: number;
  readonly cause: Cause;
}

export interface ReplayRequest extends JoinRequest {
  readonly since: Position | undefined;
  /** The users who are there are requested with what was missed. */
  readonly showsPresent?: boolean;
  /** A room with a state gives it in any case. */
  readonly wantsState?: boolean | undefined;
}

/** Members of one followed room whose replay is not over, and up to which position each has everything. */
export class JoinReplays {
  /** The end of each replay; undefined where it is still to come, so that no live entry is for this member. */
  readonly until = new Map<Connection, Position | undefined>();
  readonly #since = new Map<Connection, Position | undefined>();
  /** Live entries came for them whose replay was still to come. */
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

  /** Its replay reaches up to here. */
  reach(connection: Connection, position: Position): void {
    this.until.set(connection, position);
    this.#since.delete(connection);
    this.#skipped.delete(connection);
  }

  /** True where live entries came for this member, and its replay did not. */
  end(connection: Connection): boolean {
    this.until.delete(connection);
    this.#since.delete(connection);
    return this.#skipped.delete(connection);
  }

  /** Members that get this entry by their replay. One whose replay ends before it gets live entries from here on. */
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
  /** Takes it out of the room. */
  remove(): void;
  /** Ends the connection, whose client comes back. */
  close(): void;
}

/**
 * The three steps. Throws what they throw, and `cancelled` where the connection has left meanwhile. After a failure
 * live batches would leave a gap, and the next attempt would repeat them: a connection that was no member before is
 * none. A member of before that has missed entries meanwhile is closed.
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
    // Left, or not admitted by a fresh token, while the room was asked.
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
 * `delivered` meanwhile. Not recovered where the log begins a new epoch meanwhile: what was fetched of the one before
 * is dropped.
 */
export async function fetchMissed(
  { room }: { room(topic: Topic): Pick<RoomRpc, "missed"> },
  { topic, since, showsPresent, wantsState }: Omit<ReplayRequest, "most" | "cause">,
  delivered: () => Position | undefined,
): Promise<MissedView> {
  const missed = async (from: Position | undefined, asksState?: boolean) =>
    unlessRefused(await retryOnce(() => room(topic).missed(from, showsPresent, asksState)));
  let epoch = delivered()?.epoch;
  // Changes follow the state that came: in a busy room it would come with each answer.
  let view = await missed(since, wantsState);
  while (isBehind(view.position, delivered()) || isOutdated(view.position, epoch, delivered())) {
    epoch = delivered()?.epoch;
    // oxlint-disable-next-line no-await-in-loop -- each answer gives the position of the next request
    const next = await missed(view.position);
    view = next.recovered ? joined(view, next) : next;
  }
  return view;
}

/** A newer snapshot is in place of the older changes; an older one stands before the newer changes. */
function joined(view: MissedView, next: MissedView): MissedView {
  const before = next.state
    ? view.entries.filter(({ target }) => target !== STATE_TARGET)
    : view.entries;
  const state = next.state ?? view.state;
  const entries = [...before, ...next.entries];
  return { ...next, entries, recovered: view.recovered, ...(state && { state }) };
}

/** Live batches of a new epoch came while the room was asked, and the answer is of the one before. */
const isOutdated = (one: Position, epoch: string | undefined, other: Position | undefined) =>
  other !== undefined && other.epoch !== epoch && other.epoch !== one.epoch;

/** Positions of different epochs do not compare. */
const isBehind = (one: Position, other: Position | undefined): boolean =>
  other !== undefined && one.epoch === other.epoch && one.offset < other.offset;
