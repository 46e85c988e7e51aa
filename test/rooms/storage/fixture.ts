// A fixture: everything that the objects of one deployment have stored, as JSON, and what the test must find in it
// again. Recorded from real objects, and loaded into the storage of fresh ones.

import { env } from "cloudflare:workers";
import { abortAllDurableObjects, reset, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { VERSION_KEY, type StorageSchema } from "../../../src/rooms/platform/storage-version.ts";
import { ACCOUNT_SCHEMA } from "../../../src/rooms/account/account-migrations.ts";
import { RELAY_SCHEMA } from "../../../src/rooms/relay/relay-migrations.ts";
import { ROOM_SCHEMA } from "../../../src/rooms/room/room-migrations.ts";
import type { Account } from "../../../src/worker.ts";
import type { Facts } from "./scene.ts";

export type Kind = "room" | "relay" | "account";

export interface ObjectAddress {
  readonly kind: Kind;
  readonly name: string;
}

/** A number, a string, null, or bytes. */
type Stored = unknown;

export interface ObjectDump extends ObjectAddress {
  /** Statements that create its tables. */
  readonly tables: Readonly<Record<string, string>>;
  /** Rows of each table, as lists of values. */
  readonly rows: Readonly<Record<string, readonly (readonly Stored[])[]>>;
  readonly keys: Readonly<Record<string, Stored>>;
  /** Milliseconds since 1970. */
  readonly alarm: number | null;
}

export interface Fixture {
  /** Versions of the kinds of objects. */
  readonly versions: Readonly<Record<Kind, number>> & {
    /** Of a hub's room `all`, where it has one of its own. */
    readonly index?: number;
  };
  /** Milliseconds since 1970: in a far future, so that no alarm rings by itself while the test has set the clock. */
  readonly recordedAt: number;
  readonly facts: Facts;
  readonly objects: readonly ObjectDump[];
}

export const SCHEMAS: Readonly<Record<Kind, StorageSchema>> = {
  room: ROOM_SCHEMA,
  relay: RELAY_SCHEMA,
  account: ACCOUNT_SCHEMA,
};

const NAMESPACES = { room: env.ROOMS, relay: env.RELAYS, account: env.ACCOUNTS } as const;

/** Runs inside the object, with its storage. */
export const inObject = <T>(
  { kind, name }: ObjectAddress,
  run: (storage: DurableObjectStorage, object: unknown) => T | Promise<T>,
): Promise<T> =>
  runInDurableObject(
    NAMESPACES[kind].getByName(name) as unknown as DurableObjectStub<Account>,
    (object, { storage }) => run(storage, object),
  );

export const dump = (address: ObjectAddress): Promise<ObjectDump> =>
  inObject(address, async (storage) => {
    const { sql, kv } = storage;
    const tables = Object.fromEntries(
      sql
        .exec("SELECT name, sql FROM sqlite_master WHERE substr(name, 1, 4) <> '_cf_'")
        .toArray()
        .map((row) => [row["name"] as string, (row["sql"] as string).replaceAll(/\s+/g, " ")]),
    );
    const rowsOf = (table: string) => [...sql.exec(`SELECT * FROM "${table}"`).raw()];
    const rows = Object.keys(tables).map((table) => [table, rowsOf(table)] as const);
    return {
      ...{ kind: address.kind, name: address.name, tables },
      rows: Object.fromEntries(rows),
      keys: Object.fromEntries(kv.list()),
      alarm: await storage.getAlarm(),
    };
  });

/** As the fixture has it, and no object runs: the next call starts them, at the time when it was recorded. */
export async function load({
  recordedAt,
  objects,
}: Pick<Fixture, "recordedAt" | "objects">): Promise<void> {
  vi.setSystemTime(recordedAt);
  await reset();
  for (const object of objects) await inObject(object, (storage) => fill(storage, object));
  await abortAllDurableObjects();
}

async function fill(storage: DurableObjectStorage, { tables, rows, keys, alarm }: ObjectDump) {
  const { sql, kv } = storage;
  // What this object's first start has just written.
  await storage.deleteAll();
  for (const [table, statement] of Object.entries(tables)) {
    sql.exec(statement);
    for (const row of rows[table] ?? []) {
      const places = row.map(() => "?").join();
      sql.exec(`INSERT INTO "${table}" VALUES (${places})`, ...(row as SqlStorageValue[]));
    }
  }
  for (const [key, value] of Object.entries(keys)) kv.put(key, value);
  if (alarm !== null) await storage.setAlarm(alarm);
  await storage.sync();
}

/** What the object has stored, in the form of a schema. */
export function schemaOf({ tables, keys }: Pick<ObjectDump, "tables" | "keys">): StorageSchema {
  return {
    tables: Object.fromEntries(
      Object.entries(tables).map(([table, statement]) => [table, columnsOf(statement)]),
    ),
    keys: Object.keys(keys).filter((key) => key !== VERSION_KEY),
  };
}

/** Names come first in their definitions, which commas outside of parentheses part. */
function columnsOf(statement: string): string[] {
  const definitions = statement.slice(statement.indexOf("(") + 1, statement.lastIndexOf(")"));
  const flat = definitions.replaceAll(/\([^()]*\)/g, "");
  const names = flat.split(",").map((one) => one.trim().split(" ", 1)[0]!);
  return names.filter((name) => name !== "PRIMARY");
}

/** The key of a schema that a stored key belongs to. */
export const schemaKeyOf = (schema: StorageSchema, key: string): string | undefined =>
  schema.keys.find((pattern) =>
    new RegExp(`^${pattern.replaceAll(/[/-]/g, String.raw`\$&`).replaceAll("*", ".*")}$`).test(key),
  );

/** JSON, with bytes as `{ "base64": … }`. */
export const textOf = (fixture: object): string =>
  `${JSON.stringify(
    fixture,
    (_, value: unknown) => {
      const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
      return bytes instanceof Uint8Array ? { base64: bytes.toBase64(), of: kindOf(value) } : bytes;
    },
    2,
  )}\n`;

const kindOf = (value: unknown) => (value instanceof ArrayBuffer ? "buffer" : "view");

export const parseFixture = <F = Fixture>(text: string): F =>
  JSON.parse(text, (_, value: { base64?: string; of?: string } | null) => {
    if (typeof value?.base64 !== "string") return value;
    const bytes = Uint8Array.fromBase64(value.base64);
    return value.of === "buffer" ? bytes.buffer : bytes;
  }) as F;
