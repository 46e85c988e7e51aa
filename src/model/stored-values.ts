// The statements and keys that parts of an object use, whether its storage is real or still empty
// (rooms/platform/object-storage.ts).

type Row = Record<string, SqlStorageValue>;

/** The rows of a statement. */
export type SqlRows<T extends Row> = Iterable<T> &
  Pick<SqlStorageCursor<T>, "toArray" | "one" | "rowsWritten">;

export interface Sql {
  exec<T extends Row>(query: string, ...values: SqlStorageValue[]): SqlRows<T>;
  /** The engine's own, for the path of every message, once all tables are made. Its errors are the engine's, too. */
  readonly direct?: Pick<SqlStorage, "exec"> | undefined;
}

export type KeyValues = Pick<SyncKvStorage, "get" | "list" | "put" | "delete">;

export interface PartStorage {
  readonly sql: Sql;
  readonly kv: KeyValues;
  /** All changes of `run`, or none where it throws. */
  transactionSync<T>(run: () => T): T;
}
