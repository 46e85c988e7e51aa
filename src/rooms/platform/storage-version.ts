// The version of an object's storage, and the migrations that bring an older storage to the newest version before
// anything else reads it (docs/design/storage.md).

import { HubError } from "../../model/errors.ts";
import { logError, logInfo } from "../../model/logger.ts";

export type VersionedStorage = Pick<DurableObjectStorage, "sql" | "kv" | "transactionSync">;

interface VersionedObject {
  readonly id: { readonly name?: string | undefined };
  readonly storage: VersionedStorage;
}

/** Keys and values that a part of an object reads and writes. */
export type KeyValues = Pick<SyncKvStorage, "get" | "list" | "put" | "delete">;

export interface Migration {
  /** The version after it. A kind's first migration leads to 2, and each following one to the next number. */
  readonly version: number;
  /**
   * Changes a storage of the version before. Runs in a transaction together with the new version's number: where it
   * throws, neither is kept, the object refuses, and its next start tries again. Sets no alarm. Tables that depend on
   * settings may be missing (`hasTable`): their part creates them in today's form.
   */
  up(storage: VersionedStorage): void;
}

/** Everything that a kind of object stores at its newest version. */
export interface StorageSchema {
  /** Columns of each table, in their order. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Keys, and beginnings of keys with an asterisk behind them. */
  readonly keys: readonly string[];
}

/**
 * The key of the version; no pragma is allowed (docs/design/storage.md#st3). Absent: version 1, or a storage that is
 * empty.
 */
export const VERSION_KEY = "storage-version";
/** The version of every storage from before versions were written. */
const FIRST = 1;

/**
 * For an object whose constructor creates tables: call it before it reads anything. An empty storage gets the newest
 * version, in the commit that creates the tables.
 *
 * Throws `storage_too_new`, and what a migration throws. The storage is then as it was.
 */
export function migrate(object: VersionedObject, migrations: readonly Migration[]): void {
  if (upgrade(object, migrations) === "empty")
    object.storage.kv.put(VERSION_KEY, newestOf(migrations));
}

/**
 * For an object that may never store anything: as `migrate`, but an empty storage gets its version with its first key.
 * The keys must be written through the returned object, and not in a transaction that is rolled back.
 */
export function migratedKv(object: VersionedObject, migrations: readonly Migration[]): KeyValues {
  const { kv } = object.storage;
  const state = upgrade(object, migrations);
  return state === "empty" ? versioning(kv, newestOf(migrations)) : kv;
}

const newestOf = (migrations: readonly Migration[]): number => migrations.at(-1)?.version ?? FIRST;

/** Runs the migrations that are missing. An empty storage has no version yet, and needs one with its first content. */
function upgrade(object: VersionedObject, migrations: readonly Migration[]): "newest" | "empty" {
  const newest = newestOf(migrations);
  const written = object.storage.kv.get<number>(VERSION_KEY);
  // Version 1 is never written: it would cost every object a row.
  if ((written ?? FIRST) === newest) return "newest";
  if (written === undefined && isEmpty(object.storage)) return "empty";
  const found = written ?? FIRST;
  if (found > newest) throw tooNew(object, found, newest);
  for (const migration of migrations) if (migration.version > found) run(object, migration);
  return "newest";
}

/** A deploy was rolled back: older code could destroy content that it does not know. */
function tooNew({ id }: VersionedObject, found: number, known: number): HubError {
  logError("storage_too_new", { object: id.name, found, known });
  const message = `The storage has version ${found}; this deploy knows versions up to ${known}.`;
  return new HubError("storage_too_new", message);
}

export const hasTable = ({ sql }: Pick<VersionedStorage, "sql">, table: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray().length > 0;

/** Reads only. The platform's own tables begin with `_cf_`. */
function isEmpty({ sql, kv }: VersionedStorage): boolean {
  const query = "SELECT 1 FROM sqlite_master WHERE substr(name, 1, 4) <> '_cf_' LIMIT 1";
  return sql.exec(query).toArray().length === 0 && [...kv.list({ limit: 1 })].length === 0;
}

function run({ id, storage }: VersionedObject, { version, up }: Migration): void {
  try {
    storage.transactionSync(() => {
      up(storage);
      storage.kv.put(VERSION_KEY, version);
    });
  } catch (error) {
    logError("storage_migration_failed", { object: id.name, version, error });
    throw error;
  }
  logInfo("storage_migrated", { object: id.name, version });
}

/** The version is written before the first key. */
function versioning(kv: SyncKvStorage, version: number): KeyValues {
  let isWritten = false;
  return {
    get: (key) => kv.get(key),
    list: (options) => kv.list(options),
    delete: (key) => kv.delete(key),
    put: (key, value) => {
      if (!isWritten) kv.put(VERSION_KEY, version);
      isWritten = true;
      kv.put(key, value);
    },
  };
}
