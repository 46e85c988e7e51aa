// What objects store is what their schemas say. With RECORD_STORAGE=1 it is written down as a fixture
// (docs/design/storage.md#fixtures).

import { afterAll, beforeAll, expect, it, vi } from "vitest";
import {
  dump,
  schemaKeyOf,
  schemaOf,
  SCHEMAS,
  textOf,
  type Fixture,
  type Kind,
} from "./fixture.ts";
import { configure, play, unconfigure } from "./scene.ts";
import { playStates } from "./state-scene.ts";
import { ACCOUNT_MIGRATIONS } from "../../../src/rooms/account/account-migrations.ts";
import { RELAY_MIGRATIONS } from "../../../src/rooms/relay/relay-migrations.ts";
import { INDEX_MIGRATIONS, ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";

declare global {
  interface ImportMeta {
    readonly env: Readonly<Record<string, string | undefined>>;
  }
}

const KINDS = ["room", "relay", "account"] as const;
const versions = {
  room: ROOM_MIGRATIONS.length + 1,
  relay: RELAY_MIGRATIONS.length + 1,
  account: ACCOUNT_MIGRATIONS.length + 1,
  index: INDEX_MIGRATIONS.length + 1,
};
const FILE = `../../fixtures/storage/${Object.entries(versions)
  .map(([kind, version]) => `${kind}-v${version}`)
  .join("-")}.json`;

let fixture: Fixture;
/** The scene's, and those of rooms with state. */
let all: Fixture["objects"];

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2100, 0, 1) });
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  configure();
  const { facts, objects } = await play();
  const dumps = await Promise.all(objects.map(dump));
  fixture = { versions, recordedAt: Date.now(), facts, objects: dumps };
  const stateful = await playStates();
  all = [...dumps, ...(await Promise.all(stateful.objects.map(dump)))];
});
afterAll(() => {
  unconfigure();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it.each(KINDS)("is what the schema of a %s says, of every table and key", (kind) => {
  expect(schemaIn(kind)).toEqual(schemaAs(kind));
});

it.runIf(import.meta.env["VITE_RECORD_STORAGE"])("is recorded", async () => {
  await expect(textOf(fixture)).toMatchFileSnapshot(FILE);
});

/** All that objects of a kind have stored, taken together. */
function schemaIn(kind: Kind) {
  const schemas = all.filter((one) => one.kind === kind).map(schemaOf);
  const keys = schemas.flatMap((schema) =>
    schema.keys.map((key) => [key, schemaKeyOf(SCHEMAS[kind], key)] as const),
  );
  // A table of the hub, not of the room.
  const { marks: _, ...tables } = Object.assign({}, ...schemas.map((one) => one.tables)) as Record<
    string,
    readonly string[]
  >;
  return {
    tables,
    keys: [...new Set(keys.map(([key, pattern]) => pattern ?? key))].toSorted(),
  };
}

/**
 * Tables are made with their first row, and these rows come only where a room's own socket joins another room, and in a
 * deploy that does not know the hub; these keys with a user's own room, a report that failed, a room that was healed,
 * and a log without entries beside a state. Their tests are links/follow.test.ts, room/user-room.extra.test.ts,
 * links/follow-races.test.ts, relay/healed.extra.test.ts and changed-settings.extra.test.ts.
 */
const NOT_PLAYED: Partial<Record<Kind, { readonly tables: string[]; readonly keys: string[] }>> = {
  room: {
    tables: ["joins", "room_retention"],
    keys: ["use", "unreported", "asksReporters", "unlogged"],
  },
  relay: { tables: [], keys: ["unreported"] },
};

const schemaAs = (kind: Kind) => {
  const { tables, keys } = SCHEMAS[kind];
  const elsewhere = NOT_PLAYED[kind];
  const played = Object.entries(tables).filter(([name]) => !elsewhere?.tables.includes(name));
  return {
    tables: Object.fromEntries(played),
    keys: keys.filter((key) => !elsewhere?.keys.includes(key)).toSorted(),
  };
};
