// The port of a part that writes rows of its own in the commits of a room's log: the room's state.

import type { Entry } from "../rpc/log-entry.ts";

export interface BesideLog {
  /**
   * Calls `write` once, which writes the rows of these entries; alone, or in one transaction with rows of its own.
   * Throws what either throws, and then nothing is written.
   */
  commit(entries: readonly Entry[], write: () => void): void;
  /** The log's newest offset, where only this part keeps it (`OffsetLog`); undefined where it has none. */
  readonly offset: number | undefined;
}
