// Rooms with state that start on storage as earlier versions wrote it. With VITE_RECORD_STORAGE=1 today's is written
// down (docs/design/storage.md#fixtures).

import { env } from "cloudflare:workers";
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatPosition, type Position } from "../../../src/model/topic.ts";
import { ROOM_MIGRATIONS } from "../../../src/rooms/room/room-migrations.ts";
import { release, steering } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { dump, load, parseFixture, textOf } from "./fixture.ts";
import { act, ERASED, KEPT, OTHER, playStates, type StateFixture } from "./state-scene.ts";

const VERSION = ROOM_MIGRATIONS.length + 1;
const FILES = import.meta.glob("../../fixtures/states/*.json", {
  eager: true,
  query: "?raw",
  import: "default",
});
const FIXTURES = Object.entries(FILES).map(
  ([path, text]) => [path.split("/").at(-1)!, parseFixture<StateFixture>(text)] as const,
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2100, 0, 1) });
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  release();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it.runIf(import.meta.env["VITE_RECORD_STORAGE"])("is recorded", async () => {
  const { facts, objects } = await playStates();
  const dumps = await Promise.all(objects.map(dump));
  const fixture = { version: VERSION, recordedAt: Date.now(), facts, objects: dumps };
  const file = `../../fixtures/states/room-v${VERSION}.json`;
  await expect(textOf(fixture)).toMatchFileSnapshot(file);
});

it("has a fixture of today's version", () => {
  expect(FIXTURES.map(([, { version }]) => version)).toContain(VERSION);
});

const wholeOf = async (name: string) => {
  const whole = (await roomAt(name).wholeState()) as { text: string; position: Position };
  return { state: JSON.parse(whole.text) as unknown, position: formatPosition(whole.position) };
};

describe.each(FIXTURES)("[F16] rooms that start on %s", (_, fixture) => {
  const { facts } = fixture;
  beforeEach(() => load(fixture));

  it("have the state, where it stood, and the rows of their tables", async () => {
    expect(await wholeOf(KEPT)).toEqual({ state: facts.state, position: facts.position });
    expect((await act(KEPT, "mark", [])).result).toBe(`${facts.marks + 1}`);
  });

  it("answer runs under known keys as they did", async () => {
    for (const { key, ran } of facts.runs)
      expect(await act(KEPT, "add", [1], key)).toEqual({ ...ran, repeated: true });
    expect((await wholeOf(KEPT)).state).toEqual(facts.state);
  });

  it("bring the state to the hub's newest version", async () => {
    steering.migrations = [(old) => ({ ...old, label: "new" })];
    expect((await wholeOf(KEPT)).state).toEqual({ ...(facts.state as object), label: "new" });
  });

  it("ring what was scheduled, and deliver what was on its way to other rooms", async () => {
    expect(await roomAt(KEPT).schedule()).toEqual(facts.schedule);
    vi.setSystemTime(Date.now() + 3_601_000);
    await runDurableObjectAlarm(roomAt(KEPT));
    const { count } = facts.state as { count: number };
    expect((await wholeOf(KEPT)).state).toMatchObject({ count: count + 1 });
    expect(await roomAt(KEPT).schedule()).toEqual([]);
    await vi.waitFor(async () => {
      const { entries } = await roomAt(OTHER).history({});
      expect(entries.map(({ params }) => params)).toEqual(['["told"]']);
    });
  });

  it("save an erasure that was not saved elsewhere", async () => {
    const saved: unknown[] = [];
    steering.save = ({ state }) => void saved.push([state]);
    vi.setSystemTime(Date.now() + 60_000);
    const { name } = fixture.objects[1]!;
    expect(await runDurableObjectAlarm(env.ROOMS.getByName(name))).toBe(true);
    await expect.poll(() => saved).toEqual([[undefined]]);
    expect((await wholeOf(ERASED)).state).toEqual({ count: 0 });
  });
});
