// Selects a room's log by its hub's `durability`. The last two modes cost less than one row for each flush. Clients get
// the durability in `$/connected`.
//
//              an entry is saved     after sleep            after a crash or deploy
//   `logged`   before it is sent     same epoch             same epoch
//   `behind`   within a second       same epoch             a new epoch, if entries may be lost
//   `none`     never                 a new epoch            a new epoch

import type { RoomSettings } from "../../model/options.ts";
import { randomEpoch } from "../../model/topic.ts";
import type { BesideLog, RoomLog } from "./room-log.ts";
import { LogBehind, NoLog, OffsetLog } from "./log-modes.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { storageCorrupt, type ObjectStorage } from "../platform/object-storage.ts";
import type { Duty } from "../platform/alarm-agenda.ts";

interface OpenedLog {
  readonly log: RoomLog;
  /** The log has begun a new epoch, and lost entries that clients may have got: the room's followers are reset. */
  readonly hasLostEntries: boolean;
  /** The room had neither entries nor an epoch before this wake: its followers have no entries of this log. */
  readonly hasBegun?: boolean;
}

/** If the storage is empty, the epoch is saved with the first write. */
type LogStorage = Pick<
  ObjectStorage,
  "sql" | "kv" | "transactionSync" | "isEmpty" | "atFirstWrite" | "hasTable" | "makeTable" | "name"
>;

interface LogPorts {
  /** Requests a run of `logExpiry`. */
  readonly arm: (at: number) => void;
  /** Called when entries that were only in memory, and kept the room, are written. */
  readonly written?: () => void;
  /** The room's state, which stores the offset if the log keeps no entries. */
  readonly beside?: BesideLog | undefined;
  /** The offset of a stored checkpoint of a state, also if the hub no longer declares that state. */
  readonly reached?: () => number | undefined;
}

/** Storage key: the room has a state, and its log keeps no entries. */
export const UNLOGGED = "unlogged";

/**
 * Opens the room's log. A log that was written behind, and ended with unsaved entries, has lost offsets that clients
 * may have got: it begins a new epoch, so that no client resumes across the gap. So does a log whose table is missing,
 * and one that kept no entries in an earlier deploy.
 */
export function openLog(
  storage: LogStorage,
  settings: RoomSettings,
  { arm, written, beside, reached }: LogPorts,
): OpenedLog {
  if (settings.durability === "none" && !beside) return { log: new NoLog(), hasLostEntries: false };
  const { kv } = storage;
  let epoch = kv.get<string>("epoch");
  const isLogged = settings.durability !== "none";
  const isUnsaved = kv.get("unsaved") === true;
  const isLost = isLogged && epoch !== undefined && !storage.hasTable("log");
  if (isLost && !kv.delete(UNLOGGED))
    storageCorrupt(storage.name, new Error("There is no table `log`."));
  const hasLostEntries = isLost || isUnsaved;
  const isNew =
    epoch === undefined || hasLostEntries || (!isLogged && beside?.offset === undefined);
  const hasBegun = isLogged && epoch === undefined && !storage.isEmpty;
  if (isNew) epoch = randomEpoch();
  if (isUnsaved) kv.delete("unsaved");
  const history = { ...settings.history, arm, object: storage.name, beside };
  const saved = isLogged ? new SqliteLog(storage, history, epoch!) : new OffsetLog(epoch!, beside!);
  // The table is made with the epoch, so that its loss is noticed.
  const keepEpoch = () => {
    if (isLogged) storage.makeTable("log");
    else if (!kv.get(UNLOGGED)) kv.put(UNLOGGED, true);
    kv.put("epoch", saved.position.epoch);
  };
  if (isNew && !storage.isEmpty) keepEpoch();
  storage.atFirstWrite(keepEpoch);
  // Offsets begin after the checkpoint: later changes with smaller offsets would be lost at the next wake.
  const begun = saved.position.offset === 0 && reached?.();
  if (begun && saved instanceof SqliteLog) saved.begin(begun);
  const log = settings.durability === "logged" ? saved : new LogBehind(saved, kv, { written });
  return { log, hasLostEntries, hasBegun };
}

/** Pause after a failure. */
const RETRY_MS = 60_000;

interface Expiry {
  /** The maximum age of entries, in seconds. */
  readonly age: number;
  /** Called before entries are erased. */
  before?(): void;
}

/**
 * Erases expired entries by alarm, when the oldest is at most twice as old as allowed. An alarm for another duty does
 * it up to a quarter of the age earlier, so that no separate alarm is needed; before that time it does not read the
 * log. If entries are left after their time, the erasure has failed: it is tried again.
 */
export const logExpiry = (log: RoomLog, { age, before }: Expiry): Duty => ({
  due(now) {
    const { expiresAt } = log;
    return expiresAt === undefined || expiresAt > now ? expiresAt : now + RETRY_MS;
  },
  run(now) {
    if ((log.expiresAt ?? Infinity) - age * 250 > now) return;
    before?.();
    log.expire(now);
  },
});
