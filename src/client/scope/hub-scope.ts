// The scope of a connection to a whole hub: the rooms that the client has joined. After a reconnection it resumes them,
// each from its last position.

import { HubError } from "../../model/errors.ts";
import { canonicalTopic, isAfter } from "../../model/topic.ts";
import { isTemporary } from "../model/refusal.ts";
import type { RoomText } from "../model/room-address.ts";
import type { Frame, Greeting } from "../transport/wire.ts";
import type { Scope, ScopeHost } from "./scope.ts";

/** The client's position in a room after a join. */
export interface Joined {
  /** `epoch:offset`. */
  readonly position: string;
  /** All messages after the join's `since` were replayed. */
  readonly recovered: boolean;
  /** Number of messages in the replay. */
  readonly replayed: number;
}

/** The most rooms in one `$/resume`. Even with the longest names, they fit into the size limit of a message. */
const ROOMS_A_MESSAGE = 25;

export class HubScope implements Scope {
  readonly #host: ScopeHost;
  /** The newest position received of each room, joined by this client or by hub code. */
  readonly #positions = new Map<string, string>();
  /** The rooms that the client has joined, with the state that its user tracks in each; undefined for none. */
  readonly #states = new Map<string, unknown>();
  /**
   * Rooms whose newest request is a `join`, answered or not: another object after each leave or removal.
   * Aborted, joins that still wait are not sent.
   */
  readonly #memberships = new Map<string, AbortController>();
  /**
   * Positions of joined rooms before a `$/resume` that has not succeeded. Messages overtake its answer and move the
   * position, and the answer alone says whether some are missing: the next `$/resume` begins at the same position.
   */
  readonly #resumedFrom = new Map<string, string | undefined>();
  /** Joined rooms that the server could not resume, and that wait for another attempt. */
  readonly #unresumed = new Set<string>();
  /** The id of the previous connection. */
  #previousId: string | undefined;

  constructor(host: ScopeHost) {
    this.#host = host;
  }

  /** The server may send several messages in one frame, as an array; and it ends the previous connection. */
  get query(): { arrays: string; connection?: string } {
    return { arrays: "1", ...(this.#previousId && { connection: this.#previousId }) };
  }

  positionOf(room: RoomText): string | undefined {
    return this.#positions.get(canonicalTopic(room));
  }

  /**
   * Resolves after the replay has arrived. A room that is joined already continues from its position. Rejects with
   * `cancelled` if the room is left while the join waits for a connection.
   */
  async join(name: RoomText, since?: string): Promise<Joined> {
    const room = canonicalTopic(name);
    const membership = this.#memberships.get(room) ?? new AbortController();
    this.#memberships.set(room, membership);
    const from = since ?? (this.#states.has(room) ? this.#positions.get(room) : since);
    // An earlier membership may still replay what the application has.
    if (since) this.#advance(room, since);
    const { signal } = membership;
    const joined = (await this.#host.call("$/join", { room, since: from }, signal)) as Joined;
    const now = this.#memberships.get(room);
    // A removal meanwhile came before the join or after it: the next answer tells which.
    if (now && now !== membership) return this.join(name);
    // After a loss this join may do what `$/resume` could not: listeners that rely on the room learn the outcome.
    if (this.#unresumed.delete(room)) this.#onResumed(room, joined);
    else this.#advance(room, joined.position);
    if (now) this.#states.set(room, this.#states.get(room));
    // The room was left before this answer, perhaps before a connection on which the join was sent.
    else void this.leave(name).catch(() => {});
    return joined;
  }

  async leave(name: RoomText): Promise<void> {
    const room = canonicalTopic(name);
    const membership = this.#memberships.get(room);
    this.forget(room);
    this.#memberships.delete(room);
    // Without a connection there is nothing to leave: the next one is in no room before it joins. A call that waited for
    // it would be sent after the joins that listeners make when it is greeted, and undo them. Joins that wait would be
    // sent before a later one, and replay what the application has by then.
    if (this.#host.isConnected()) await this.#host.call("$/leave", { room });
    else membership?.abort();
    // Messages may have set a position meanwhile. It stays if the room is joined again, answered or not.
    if (!this.#memberships.has(room)) this.#positions.delete(room);
  }

  /**
   * Without a `state`, untracks. Only the state of a joined room is tracked again after a reconnection, and after a call
   * that waited for it, as in `PresenceTracker`.
   */
  async track(name: RoomText, state?: unknown): Promise<void> {
    const room = canonicalTopic(name);
    const isLate = !this.#host.isConnected();
    if (this.#states.has(room)) this.#states.set(room, state);
    await this.#host.call(state === undefined ? "$/untrack" : "$/track", { room, state });
    if (isLate && this.#states.has(room)) await this.track(name, this.#states.get(room));
  }

  greet({ connectionId }: Greeting): void {
    this.#previousId = connectionId;
    // The other rooms were joined by hub code for the previous connection. This connection is in none of them.
    for (const room of this.#positions.keys())
      if (!this.#states.has(room)) this.#positions.delete(room);
    this.#resumeAll([...this.#states.keys()]);
  }

  #resumeAll(rooms: readonly string[]): void {
    this.#unresumed.clear();
    for (let at = 0; at < rooms.length; at += ROOMS_A_MESSAGE)
      void this.#resume(rooms.slice(at, at + ROOMS_A_MESSAGE));
  }

  async #resume(names: readonly string[]): Promise<void> {
    const from = this.#resumedFrom;
    for (const room of names) if (!from.has(room)) from.set(room, this.#positions.get(room));
    const rooms = Object.fromEntries(names.map((room) => [room, from.get(room)]));
    try {
      const results = (await this.#host.call("$/resume", { rooms })) as Record<
        string,
        ResumeResult
      >;
      // A room that was left since has another membership, if any.
      for (const [room, result] of Object.entries(results))
        if (from.has(room)) this.#onResumed(room, result);
    } catch (error) {
      this.#onRefused(names, error as HubError);
    }
  }

  #onResumed(room: string, result: ResumeResult): void {
    if ("error" in result) {
      const { code, message } = result.error;
      return this.#onRefused([room], new HubError<string>(code, `${room}: ${message}`));
    }
    this.#resumedFrom.delete(room);
    this.#advance(room, result.position);
    if (result.recovered) this.#host.onRecovered({ room, replayed: result.replayed });
    else this.#host.onReload({ room });
    const state = this.#states.get(room);
    if (state !== undefined)
      this.track(room as RoomText, state).catch((error) => this.#onRefused([room], error, true));
  }

  /**
   * After a temporary refusal of a room or of its tracked state, the room is resumed again later. A room that no longer
   * admits this client is given up. If the connection is lost, the next greeting resumes all rooms.
   */
  #onRefused(rooms: readonly string[], error: HubError, isResumed = false): void {
    if (!this.#host.isConnected()) return;
    const waiting = this.#unresumed;
    if (waiting.size === 0) this.#host.retry(() => this.#resumeAll([...waiting]), error);
    for (const room of rooms)
      if (isTemporary(error)) waiting.add(room);
      else if (!isResumed) {
        this.forget(room);
        this.#host.onLeft({ room, reason: error.code });
      }
    this.#host.onError(error);
  }

  forget(room: string): void {
    this.#memberships.set(room, new AbortController());
    this.#unresumed.delete(room);
    this.#resumedFrom.delete(room);
    this.#states.delete(room);
    this.#positions.delete(room);
  }

  /** Returns false if the position is not newer, which is then ignored: messages may overtake the result of a join. */
  #advance(room: string, position: string): boolean {
    const isNew = isAfter(position, this.#positions.get(room));
    if (isNew) this.#positions.set(room, position);
    return isNew;
  }

  accept({ room, position }: Frame): boolean {
    return !room || !position || this.#advance(room, position);
  }
}

type RoomError = Pick<HubError, "code" | "message">;
type ResumeResult = Joined | { readonly error: RoomError };
