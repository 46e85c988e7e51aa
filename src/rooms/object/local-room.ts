// The port of the room that an object is, for code that rooms and relays share. Only rooms have one.

import type { Topic } from "../../model/topic.ts";
import type { HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";

export interface LocalRoom {
  readonly topic: Topic;
  /** The topic as text. */
  readonly name: string;
  /** Includes what was published just now. */
  history(query: HistoryQuery): HistoryView;
  presence(query: PresenceQuery): PresenceView;
  /** Throws `forbidden` where the user is absent, `too_large`. */
  track(userId: string, state: unknown): void;
}
