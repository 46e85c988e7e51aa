// The version of an object's storage, and the migrations that bring an older storage to the newest version before
// anything else reads it (docs/design/storage.md).

import type { Sql } from "../../model/stored-values.ts";
import { HubError } from "../../model/errors.ts";
import { logError, logInfo } from "../../model/logger.ts";

export type VersionedStorage = Pick<DurableObjectStorage, "sql" | "kv" | "transactionSync">;

export interface VersionedObject {
  readonly id: { readonly name?: string | undefined };
  readonly storage: DurableObjectStorage;
}

export interface Migration {
  /** The version after it. A kind's first migration leads to 2, and each following one to the next number. */
  readonly version: number;
  /**
   * Changes a storage of the version before. Runs in one transaction with the write of the new version's number: if it
   * throws, neither is kept, the object refuses, and its next start tries again. Must not set an alarm. Tables that
   * depend on settings may be missing (`hasTable`): their part creates them in the present form.
   */
  up(storage: VersionedStorage): void;
}

/** Everything that a kind of object stores at its newest version. */
export interface StorageSchema {
  /** Columns of each table, in their order. */
  readonly tables: Readonly<Record<string, readonly string[]>>;
  /** Keys; an asterisk stands for any text. */
  readonly keys: readonly string[];
}

/**
 * Storage key of the version, because a pragma is not allowed (docs/design/storage.md#os3). Absent: version 1, or an
 * empty storage (object-storage.ts).
 */
export const VERSION_KEY = "storage-version";
/**
 * Pause between two alarms of an object that waits for another deploy. Each alarm sets the next one: the platform gives
 * up an alarm whose handler fails for two minutes, and overdue work would then wait for the next request.
 */
export const LOOK_AGAIN_MS = 10 * 60_000;
/** How long an object keeps data of a hub, state or scheduled action that its deploy lacks: another may have it. */
export const UNKNOWN_KEPT_MS = 30 * 86_400_000;
/** The version of every storage from before versions were written. */
const FIRST = 1;

export const newestOf = (migrations: readonly Migration[]): number =>
  migrations.at(-1)?.version ?? FIRST;

/**
 * Runs the missing migrations of a storage with content; call it before anything is read. Throws `storage_too_new`, and
 * errors of a migration; the storage is then as it was. Returns whether any was missing.
 */
export function upgrade(object: VersionedObject, migrations: readonly Migration[]): boolean {
  const newest = newestOf(migrations);
  const found = object.storage.kv.get<number>(VERSION_KEY) ?? FIRST;
  if (found > newest) throw tooNew(object, found, newest);
  for (const migration of migrations) if (migration.version > found) run(object, migration);
  return found < newest;
}

/** A deploy was rolled back: older code could destroy content that it does not know. */
function tooNew({ id }: VersionedObject, found: number, known: number): HubError {
  logError("storage_too_new", { object: id.name, found, known });
  const message = `The storage has version ${found}; this deploy knows versions up to ${known}.`;
  return new HubError("storage_too_new", message);
}

export const hasTable = ({ sql }: { readonly sql: Sql }, table: string): boolean =>
  sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", table).toArray().length > 0;

/** Tables of Cloudflare, of SQLite, and of miniflare, which keeps an object's name beside the object's own tables. */
export const isPlatformTable = (name: string): boolean => /^(_cf_|sqlite_|__miniflare_)/.test(name);

/** Names of tables, without the platform's. */
export function tablesIn({ sql }: Pick<VersionedStorage, "sql">): string[] {
  const rows = sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray();
  return rows.map(({ name }) => name as string).filter((name) => !isPlatformTable(name));
}

/**
 * Whether a storage with these tables has neither a table nor a key: it has no version, and begins with the newest.
 * Writes nothing.
 */
export const isEmpty = (tables: readonly string[], { kv }: VersionedStorage): boolean =>
  tables.length === 0 && [...kv.list({ limit: 1 })].length === 0;

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
