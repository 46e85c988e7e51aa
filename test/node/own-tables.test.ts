// Tables that a room makes for itself: a hub may declare none of their names.

import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { stateTable } from "../../src/dispatch/define/state-tables.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-members.ts";

/** Folders whose tables are in rooms' objects; those of relays and accounts are in no object with a state. */
const IN_ROOMS = "src/{webhooks,rooms/{links,log,observe,presence,room,state}}/*.ts";
const TABLE = /CREATE TABLE IF NOT EXISTS (?<name>\w+)/g;

const OWN = globSync(IN_ROOMS).flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(TABLE)].map(({ groups }) => groups!["name"]!),
);

const withTable = (text: string) =>
  ({
    name: "shop",
    members: {},
    stateful: { options: { tables: [text] }, actions: {}, internal: {} },
  }) as unknown as AnyHub;

it("are found in the sources", () =>
  expect(OWN).toEqual(expect.arrayContaining(["log", "room_state"])));

it.for(OWN)("%s is refused, in any case and with quotes", (name) => {
  for (const text of [`${name} (a)`, `IF NOT EXISTS "${name.toUpperCase()}" (a)`])
    expect(() => stateTable(withTable(`CREATE TABLE ${text}`))).toThrow(
      /is one of the room itself/,
    );
});

it("other names are taken", () =>
  expect(stateTable(withTable("CREATE TABLE logs (a)"))).toBeDefined());
