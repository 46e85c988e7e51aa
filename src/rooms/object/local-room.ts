// The port of an object's own room, for code that rooms and relays share. Only rooms have one.

import type { Position, Topic } from "../../model/topic.ts";
import type { Ticket } from "../delivery/fan-out.ts";
import type { HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";
import type { RunResult, Run, Snapshot } from "../rpc/state-rpc.ts";

/** The state of an object's own room. */
export interface LocalState {
  ready(): Promise<void> | undefined;
  run(run: Run): Promise<RunResult & { readonly ticket: Ticket }>;
  /** Resolves when the tickets of all earlier runs are final. */
  untilSaved(): Promise<void>;
  whole(): Snapshot;
  /** The state that clients see now; undefined if they see none. */
  view(): Snapshot | undefined;
  readonly transfer: { reload(): Promise<Position> };
}

export interface LocalRoom {
  readonly topic: Topic;
  /** The topic as text. */
  readonly name: string;
  /** Includes publications that are still queued. */
  history(query: HistoryQuery): HistoryView;
  presence(query: PresenceQuery): PresenceView;
  /** Throws `forbidden` if the user is absent, `too_large`. */
  track(userId: string, state: unknown): void;
  /** Undefined if the room has no state. */
  readonly state: LocalState | undefined;
}
