// The port of a room's state, which writes its own rows in the commits of the room's log.

import type { Entry } from "../rpc/log-entry.ts";

export interface BesideLog {
  /**
   * Calls `write` once, which writes the rows of these entries: alone, or in one transaction with rows of this part.
   * Throws the errors of both, and then nothing is written.
   */
  commit(entries: readonly Entry[], write: () => void): void;
  /** The log's newest offset, if only this part stores it (`OffsetLog`); undefined if it has none. */
  readonly offset: number | undefined;
}
