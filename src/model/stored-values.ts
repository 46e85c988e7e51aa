// The interface to storage for parts of an object, whether the storage is real or still empty
// (rooms/platform/object-storage.ts).

type Row = Record<string, SqlStorageValue>;

/** The rows of a statement. */
export type SqlRows<T extends Row> = Iterable<T> &
  Pick<SqlStorageCursor<T>, "toArray" | "rowsWritten">;

export interface Sql {
  exec<T extends Row>(query: string, ...values: SqlStorageValue[]): SqlRows<T>;
  /** The platform's own storage, for the path of every message, once all tables exist. Throws the platform's errors. */
  readonly direct?: Pick<SqlStorage, "exec"> | undefined;
}

export type KeyValues = Pick<SyncKvStorage, "get" | "list" | "put" | "delete">;

export interface PartStorage {
  readonly sql: Sql;
  readonly kv: KeyValues;
  /** Makes all changes of `run`, or none if it throws. */
  transactionSync<T>(run: () => T): T;
}
