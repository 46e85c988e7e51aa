// Which log a room has, by its hub's `durability`, and the two logs that cost less than one row for each flush. Clients
// read the durability in `$/connected`.
//
//              an entry is saved     after sleep            after a crash or deploy
//   `logged`   before it is sent     same epoch             same epoch
//   `behind`   within a second       same epoch             a new epoch, if entries may be lost
//   `none`     never                 a new epoch            a new epoch

import type { RoomSettings } from "../../model/options.ts";
import { randomEpoch } from "../../model/topic.ts";
import type { RoomLog } from "./room-log.ts";
import type { BesideLog } from "./beside-log.ts";
import { LogBehind, NoLog, OffsetLog } from "./log-modes.ts";
import { SqliteLog } from "./sqlite-log.ts";
import { storageCorrupt, type ObjectStorage } from "../platform/object-storage.ts";
import type { Duty } from "../platform/alarm-agenda.ts";

export interface OpenedLog {
  readonly log: RoomLog;
  /** The log has begun a new epoch, and has lost entries that clients may have seen: the room's followers are reset. */
  readonly hasLostEntries: boolean;
  /** The room kept no entries until this wake, and no epoch: followers that it has already have nothing of this log. */
  readonly hasBegun?: boolean;
}

/** Of a storage that is empty still, the epoch is kept with the first write. */
type LogStorage = Pick<
  ObjectStorage,
  "sql" | "kv" | "transactionSync" | "isEmpty" | "atFirstWrite" | "hasTable" | "makeTable" | "name"
>;

interface LogPorts {
  /** Requests a run of `logExpiry`. */
  readonly arm: (at: number) => void;
  /** Entries that were in memory alone, and kept the room, are written. */
  readonly written?: () => void;
  /** The room's state, which needs epoch and offset where the log keeps no entries. */
  readonly beside?: BesideLog | undefined;
  /** The offset that the checkpoint of a state has reached, whether the hub knows the state or not. */
  readonly reached?: () => number | undefined;
}

/** Key: the room has a state, and a log that keeps no entries. */
export const UNLOGGED = "unlogged";

/**
 * Opens the room's log. One that was written behind and ended with unsaved entries lost offsets that clients may have
 * seen: it goes on under a new epoch, so that no client resumes across the gap. So do one whose table is gone, and one
 * that kept no entries in an earlier deploy.
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
  // Changes of the state that have a smaller offset than its checkpoint would be lost at the next wake.
  const begun = saved.position.offset === 0 && reached?.();
  if (begun && saved instanceof SqliteLog) saved.begin(begun);
  const log = settings.durability === "logged" ? saved : new LogBehind(saved, kv, { written });
  return { log, hasLostEntries, hasBegun };
}

/** After a failure it is tried again a minute later. */
const RETRY_MS = 60_000;

interface Expiry {
  /** Of entries, in seconds. */
  readonly age: number;
  /** Called before entries are erased. */
  before?(): void;
}

/**
 * Erases entries past their age by alarm: the oldest of them may be twice as old by then. An alarm that comes for
 * another duty does it a quarter of an age earlier, so that no alarm comes for this alone; before that it leaves the
 * log unread. If entries are left after their time, the erasure has failed: it is tried again.
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
