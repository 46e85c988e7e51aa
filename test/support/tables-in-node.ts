// Tables of a room in memory, in the database of Node, as a program: test/node/world.test.ts runs it and reads what it
// prints.

import * as z from "zod";
import { callingRoom, type TestDatabase } from "../../src/dispatch/testing/testing.ts";
import { action, hub, HubError } from "../../src/hub.ts";

const ScansHub = hub("scans")
  .state("group", {
    schema: z.object({ count: z.number() }),
    initial: { count: 0 },
    tables: ["CREATE TABLE scans (at INTEGER, place TEXT NOT NULL, photo BLOB)"],
  })
  .actions({
    scan: action([z.string()], ({ sql, state }, place) => {
      state.count++;
      void sql`INSERT INTO scans VALUES (${state.count}, ${place}, ${new Uint8Array([1])})`;
      if (place === "nowhere") throw new HubError("nowhere", "There is no such place.");
      return sql<{ count: number }>`SELECT count(*) AS count FROM scans`[0]?.count;
    }),
    scans: action([], ({ sql }) =>
      sql<{ place: string; photo: Uint8Array }>`SELECT place, photo FROM scans ORDER BY at`.map(
        ({ place, photo }) => [place, ...photo],
      ),
    ),
  });

interface Sqlite {
  readonly DatabaseSync: new (path: string) => TestDatabase;
}

/** The types of the engine have no database of Node. */
const name: string = "node:sqlite";
const { DatabaseSync } = (await import(name)) as Sqlite;
const database = new DatabaseSync(":memory:");
const room = callingRoom(ScansHub, { database });
const first = await room.run.scan("dock");
const failed = await room.run.scan("nowhere").catch(({ code }: HubError) => code);
const second = await room.run.scan("gate");
const scans = await room.run.scans();
const stored = database.prepare("SELECT count(*) AS rows FROM scans").all();
console.log(JSON.stringify({ answers: [first, failed, second], scans, stored }));
