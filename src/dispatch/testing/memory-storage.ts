// The storage of an object in memory, as far as a world needs it: the rows of a room's log are kept. Those of presence
// and memberships are only read after a loss of memory, which a world does not have.

/** What a log selects of its rows. */
interface LogRow {
  readonly last: number;
  readonly entries: string;
}

/** Statements of rooms/log/sqlite-log.ts that write and read entries; a reordered list of columns fails its tests. */
const WRITE = "INSERT OR REPLACE INTO log VALUES";
const READ = "SELECT entries FROM log WHERE last > ?";

export function memoryStorage(): Pick<DurableObjectStorage, "sql" | "transactionSync"> {
  const rows = new Map<unknown, LogRow>();
  const rowsAfter = (offset: number) =>
    [...rows.values()].filter(({ last }) => last > offset).toSorted((a, b) => a.last - b.last);
  const exec = (query: string, ...values: unknown[]) => {
    const [slot, , last] = values as [unknown, unknown, number];
    if (query.startsWith(WRITE)) rows.set(slot, { last, entries: values.at(-1) as string });
    return { toArray: () => (query.startsWith(READ) ? rowsAfter(values[0] as number) : []) };
  };
  return { sql: { exec } as unknown as SqlStorage, transactionSync: (run) => run() };
}
