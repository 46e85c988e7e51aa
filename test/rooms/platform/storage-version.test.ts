// Migrations of an object's storage, with lists that only this test has, on real storage.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi, type Mock } from "vitest";
import {
  hasTable,
  VERSION_KEY,
  type Migration,
  type VersionedStorage,
} from "../../../src/rooms/platform/storage-version.ts";
import { ObjectStorage } from "../../../src/rooms/platform/object-storage.ts";
import { ACCOUNT_MIGRATIONS } from "../../../src/rooms/account/account-migrations.ts";
import { RELAY_MIGRATIONS } from "../../../src/rooms/relay/relay-migrations.ts";
import { INDEX_MIGRATIONS, ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";

let objects = 0;
/** The log of errors. */
let errors: Mock<typeof console.error>;
afterEach(() => vi.restoreAllMocks());

/** Inside an object of its own, which has stored nothing: accounts create no tables. */
const inEmpty = <T>(run: (object: DurableObjectState) => T): Promise<T> =>
  runInDurableObject(env.ACCOUNTS.getByName(`storage-version/${++objects}`), (_, state) => {
    vi.spyOn(console, "info").mockImplementation(() => {});
    errors = vi.spyOn(console, "error").mockImplementation(() => {});
    return run(state);
  });

const migrate = (object: DurableObjectState, migrations: readonly Migration[]) =>
  new ObjectStorage(object, migrations);

const createTable = ({ sql }: VersionedStorage) => sql.exec("CREATE TABLE words (word TEXT)");

/** Inside an object as the first release has left it: a table, a key, and no version. */
const inFirst = <T>(run: (object: DurableObjectState) => T): Promise<T> =>
  inEmpty((object) => {
    createTable(object.storage);
    object.storage.sql.exec("INSERT INTO words VALUES ('first')");
    object.storage.kv.put("epoch", "e");
    return run(object);
  });

/** Each writes down that it ran. */
const migrationTo = (version: number): Migration => ({
  version,
  up: ({ sql }) => void sql.exec("INSERT INTO words VALUES (?)", `to ${version}`),
});

const failing: Migration = {
  version: 3,
  up: ({ sql, kv }) => {
    sql.exec("ALTER TABLE words ADD COLUMN at INTEGER");
    sql.exec("DELETE FROM words");
    kv.delete("epoch");
    throw new Error("The disk is full.");
  },
};

const wordsOf = ({ storage: { sql } }: DurableObjectState) =>
  sql
    .exec("SELECT * FROM words")
    .toArray()
    .map(({ word }) => word);
const versionOf = ({ storage: { kv } }: DurableObjectState) => kv.get(VERSION_KEY);

describe("a storage from before versions were written", () => {
  it("is version 1: every migration runs once, in order", () =>
    inFirst((object) => {
      const migrations = [2, 3, 4].map(migrationTo);
      migrate(object, migrations);
      migrate(object, migrations);
      expect(wordsOf(object)).toEqual(["first", "to 2", "to 3", "to 4"]);
      expect(versionOf(object)).toBe(4);
    }));

  it("runs what a later deploy adds, and nothing that ran before", () =>
    inFirst((object) => {
      migrate(object, [migrationTo(2)]);
      migrate(object, [2, 3].map(migrationTo));
      expect(wordsOf(object)).toEqual(["first", "to 2", "to 3"]);
    }));

  it("is version 1 also where it holds keys alone", () =>
    inEmpty((object) => {
      object.storage.kv.put("due/alice", 1);
      const up = vi.fn<Migration["up"]>();
      migrate(object, [{ version: 2, up }]);
      expect(up).toHaveBeenCalledExactlyOnceWith(object.storage);
      expect(versionOf(object)).toBe(2);
    }));

  it("is left alone while there is no migration: two reads, no write", () =>
    inFirst((object) => {
      const { kv, sql } = object.storage;
      const spies = [vi.spyOn(kv, "list"), vi.spyOn(kv, "put")];
      const reads = [vi.spyOn(kv, "get"), vi.spyOn(sql, "exec")];
      migrate(object, []);
      for (const read of reads) expect(read).toHaveBeenCalledTimes(1);
      for (const spy of spies) expect(spy).not.toHaveBeenCalled();
      expect(versionOf(object)).toBeUndefined();
    }));
});

describe("a migration", () => {
  const addColumn: Migration = {
    version: 2,
    up: (storage) => {
      if (hasTable(storage, "words")) storage.sql.exec("ALTER TABLE words ADD COLUMN at INTEGER");
    },
  };

  it("changes a table that is there", () =>
    inFirst((object) => {
      migrate(object, [addColumn]);
      expect(object.storage.sql.exec("SELECT * FROM words").one()).toEqual({
        word: "first",
        at: null,
      });
    }));

  it("leaves out one that settings never asked for", () =>
    inEmpty((object) => {
      object.storage.kv.put("epoch", "e");
      migrate(object, [addColumn]);
      expect([hasTable(object.storage, "words"), versionOf(object)]).toEqual([false, 2]);
    }));
});

describe("a storage of the newest version", () => {
  it("costs a wake two reads", () =>
    inFirst((object) => {
      const migrations = [2, 3].map(migrationTo);
      migrate(object, migrations);
      const { kv, sql } = object.storage;
      const spies = [vi.spyOn(kv, "list"), vi.spyOn(kv, "put")];
      const reads = [vi.spyOn(kv, "get"), vi.spyOn(sql, "exec")];
      migrate(object, migrations);
      for (const read of reads) expect(read).toHaveBeenCalledTimes(1);
      for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    }));
});

describe("an empty storage", () => {
  it("gets its tables and the newest version with its first row, and is not migrated later", () =>
    inEmpty((object) => {
      const migrations = [2, 3].map(migrationTo);
      const storage = migrate(object, migrations);
      storage.sql.exec("CREATE TABLE IF NOT EXISTS words (word TEXT)");
      expect([storage.isEmpty, hasTable(object.storage, "words")]).toEqual([true, false]);
      storage.sql.exec("INSERT INTO words VALUES ('first')");
      migrate(object, migrations);
      expect([versionOf(object), wordsOf(object)]).toEqual([3, ["first"]]);
    }));

  it("stays empty while an object only reads, updates and deletes", () =>
    inEmpty((object) => {
      const size = object.storage.sql.databaseSize;
      const { kv, sql } = migrate(object, [migrationTo(2)]);
      sql.exec("CREATE TABLE IF NOT EXISTS words (word TEXT)");
      expect([kv.get("a"), [...kv.list({ prefix: "a" })], kv.delete("a")]).toEqual([
        undefined,
        [],
        false,
      ]);
      for (const query of ["SELECT * FROM words", "DELETE FROM words", "UPDATE words SET word = 1"])
        expect(sql.exec(query).toArray()).toEqual([]);
      expect(object.storage.sql.databaseSize).toBe(size);
      expect(versionOf(object)).toBeUndefined();
    }));

  it("gets version and first content with its first key, and a table with its first row", () =>
    inEmpty((object) => {
      const storage = migrate(object, [migrationTo(2)]);
      storage.sql.exec("CREATE TABLE IF NOT EXISTS words (word TEXT)");
      storage.atFirstWrite(() => storage.kv.put("epoch", "e"));
      for (const key of ["a", "b"]) storage.kv.put(key, 1);
      storage.kv.delete("b");
      expect([...object.storage.kv.list()]).toEqual([
        ["a", 1],
        ["epoch", "e"],
        [VERSION_KEY, 2],
      ]);
      expect(hasTable(object.storage, "words")).toBe(false);
      expect(storage.sql.exec("SELECT * FROM words").toArray()).toEqual([]);
      storage.sql.exec("INSERT INTO words VALUES ('first')");
      expect(wordsOf(object)).toEqual(["first"]);
    }));

  it("is empty where only a local engine has written, which keeps the object's name", () =>
    inEmpty((object) => {
      object.storage.sql.exec("CREATE TABLE __miniflare_do_name (id INTEGER, name TEXT)");
      expect(migrate(object, [failing]).isEmpty).toBe(true);
    }));

  it("is empty again where its first write is taken back, and after all was deleted", () =>
    inEmpty(async (object) => {
      const storage = migrate(object, [migrationTo(2)]);
      storage.sql.exec("CREATE TABLE IF NOT EXISTS words (word TEXT)");
      const insert = () => storage.sql.exec("INSERT INTO words VALUES ('one')");
      const fail = () => {
        insert();
        throw new Error("The disk is full.");
      };
      expect(() => storage.transactionSync(fail)).toThrow("The disk is full.");
      expect([storage.isEmpty, hasTable(object.storage, "words")]).toEqual([true, false]);
      insert();
      await object.storage.setAlarm(Date.now() + 3_600_000);
      const deleted = storage.deleteAll();
      expect(storage.sql.exec("SELECT * FROM words").toArray()).toEqual([]);
      insert();
      await deleted;
      expect([wordsOf(object), versionOf(object)]).toEqual([["one"], 2]);
      expect(await object.storage.getAlarm()).toBeNull();
    }));
});

describe("a migration that throws", () => {
  it("changes neither data nor version; those before it stay, and the next start tries it again", () =>
    inFirst((object) => {
      const deploy = [migrationTo(2), failing, migrationTo(4)];
      for (let start = 0; start < 2; start++) {
        expect(() => migrate(object, deploy)).toThrow("The disk is full.");
        expect([versionOf(object), wordsOf(object)]).toEqual([2, ["first", "to 2"]]);
        expect(object.storage.kv.get("epoch")).toBe("e");
      }
      expect(errors).toHaveBeenCalledTimes(2);
      migrate(object, [2, 3, 4].map(migrationTo));
      expect([versionOf(object), wordsOf(object)]).toEqual([4, ["first", "to 2", "to 3", "to 4"]]);
    }));
});

describe("a storage that is newer than the code", () => {
  it.each([
    ["no migration", []],
    ["fewer migrations", [migrationTo(2)]],
  ])("is refused and left as it is by code with %s", (_, known) =>
    inFirst((object) => {
      migrate(object, [2, 3].map(migrationTo));
      const before = [wordsOf(object), [...object.storage.kv.list()]];
      expect(() => migrate(object, known)).toThrow(
        expect.objectContaining({ name: "HubError", code: "storage_too_new" }),
      );
      expect([wordsOf(object), [...object.storage.kv.list()]]).toEqual(before);
      expect(errors.mock.calls.map(([line]) => JSON.parse(line))).toEqual([
        {
          ...{ level: "error", event: "storage_too_new", object: object.id.name },
          ...{ found: 3, known: known.length + 1 },
        },
      ]);
    }),
  );
});

describe("the migrations of", () => {
  it.each([
    ["rooms", ROOM_MIGRATIONS],
    ["indexes", INDEX_MIGRATIONS],
    ["relays", RELAY_MIGRATIONS],
    ["accounts", ACCOUNT_MIGRATIONS],
  ])("%s lead from 2 on to the newest, each one further", (_, migrations) => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_one, at) => at + 2));
  });
});
