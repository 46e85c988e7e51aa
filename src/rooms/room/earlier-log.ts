// Prepares a log that an earlier deploy wrote, before the log is opened: if the hub has ended its history since, or if
// the room has stored a state that the hub no longer declares.

import type { RoomSettings } from "../../model/options.ts";
import { UNLOGGED } from "../log/open-log.ts";
import { SqliteLog } from "../log/sqlite-log.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import { foldChanges } from "../state/unopened-state.ts";

interface EarlierLog {
  readonly storage: ObjectStorage;
  readonly settings: RoomSettings;
  /** Whether the hub gives the room a state. */
  readonly hasState: boolean;
  readonly now: number;
}

/** Deletes messages that the hub no longer keeps. Changes of a state in that log go into its checkpoint first. */
export function settleEarlierLog({ storage, settings, hasState, now }: EarlierLog): void {
  if (!storage.hasTable("log")) return;
  const { durability, history } = settings;
  const endsLog = durability === "none";
  const holdsState = storage.hasTable("room_state");
  if (!endsLog && (hasState || !holdsState)) return;
  const log = new SqliteLog(storage, history, "");
  storage.transactionSync(() => {
    const hasEntries = log.position.offset > 0;
    if (holdsState && hasEntries) foldChanges({ storage, history, log, endsLog, now });
    if (endsLog) endLog(storage, hasState);
  });
}

/** A later log begins under a new epoch, because until then offsets are only in memory or in the checkpoint. */
function endLog(storage: ObjectStorage, hasState: boolean): void {
  storage.dropTable("log");
  if (hasState) storage.kv.put(UNLOGGED, true);
  else storage.kv.delete("epoch");
}
