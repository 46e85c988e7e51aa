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
import { ACCOUNT_MIGRATIONS } from "../../../src/rooms/account/account-migrations.ts";
import { RELAY_MIGRATIONS } from "../../../src/rooms/relay/relay-migrations.ts";
import { ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";

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
};
const FILE = `../../fixtures/storage/${KINDS.map((kind) => `${kind}-v${versions[kind]}`).join("-")}.json`;

let fixture: Fixture;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2100, 0, 1) });
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  configure();
  const { facts, objects } = await play();
  const dumps = await Promise.all(objects.map(dump));
  fixture = { versions, recordedAt: Date.now(), facts, objects: dumps };
});
afterAll(() => {
  unconfigure();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it.each(KINDS)("is what the schema of a %s says, of every table and key", (kind) => {
  expect(schemaIn(fixture, kind)).toEqual(schemaAs(kind));
});

it.runIf(import.meta.env["VITE_RECORD_STORAGE"])("is recorded", async () => {
  await expect(textOf(fixture)).toMatchFileSnapshot(FILE);
});

/** All that objects of a kind have stored, taken together. */
function schemaIn({ objects }: Fixture, kind: Kind) {
  const schemas = objects.filter((one) => one.kind === kind).map(schemaOf);
  const keys = schemas.flatMap((schema) =>
    schema.keys.map((key) => [key, schemaKeyOf(SCHEMAS[kind], key)] as const),
  );
  return {
    tables: Object.assign({}, ...schemas.map(({ tables }) => tables)) as object,
    keys: [...new Set(keys.map(([key, pattern]) => pattern ?? key))].toSorted(),
  };
}

const schemaAs = (kind: Kind) => {
  const { tables, keys } = SCHEMAS[kind];
  return { tables, keys: keys.toSorted() };
};
