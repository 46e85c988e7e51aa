// The part of an object's storage that a world needs, in memory: the rows of a room's log, by slot. Rows of presence
// and memberships are only read after a loss of memory, which a world does not have.

/** Statements of rooms/log/sqlite-log.ts that write a row, and read its entries by its slot. */
const WRITE = "INSERT OR REPLACE INTO log VALUES";
const READ = "SELECT entries FROM log WHERE slot = ?";

export function memoryStorage(): Pick<DurableObjectStorage, "sql" | "transactionSync"> {
  const entriesBySlot = new Map<unknown, unknown>();
  const exec = (query: string, ...values: unknown[]) => {
    const [slot] = values;
    if (query.startsWith(WRITE)) entriesBySlot.set(slot, values.at(-1));
    const rows = query === READ ? [{ entries: entriesBySlot.get(slot) }] : [];
    return { toArray: () => rows, [Symbol.iterator]: () => rows[Symbol.iterator]() };
  };
  return { sql: { exec } as unknown as SqlStorage, transactionSync: (run) => run() };
}
