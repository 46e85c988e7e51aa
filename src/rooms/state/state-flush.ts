// A flush of a room with state, from its first action until it is saved.

import type { HubError } from "../../model/errors.ts";
import type { StoredRun, StateEntry } from "../rpc/log-entry.ts";

/** A reserved entry, whose text is filled in later. */
export interface ReservedEntry {
  readonly entry: { -readonly [K in keyof StateEntry]: StateEntry[K] };
  readonly ticket: { readonly error: HubError | null };
}

/** A flush with actions, until it is saved. */
export interface Flush extends ReservedEntry {
  readonly runs: StoredRun[];
  /** The view of clients after the flush. */
  shown: unknown;
  /** Whether clients get a snapshot instead of a patch. */
  isWhole?: boolean;
}
