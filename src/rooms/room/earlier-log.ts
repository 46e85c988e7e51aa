// The log of an earlier deploy, before today's is opened: where the hub has another `durability` now, or where the room
// has a state that today's hub does not know.

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

/** A room that keeps no messages any more loses those of before. No change of its state is lost with them. */
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

/** A later log begins under a new epoch: meanwhile offsets are in memory alone, or in the state's checkpoint. */
function endLog(storage: ObjectStorage, hasState: boolean): void {
  storage.dropTable("log");
  if (hasState) storage.kv.put(UNLOGGED, true);
  else storage.kv.delete("epoch");
}
