// Rooms with state whose log is written behind, where something comes before it is written.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import type { RoomParts } from "../../../src/rooms/room/room-parts.ts";
import { heldTimers } from "../../support/held-timers.ts";
import { roomAt } from "../client.ts";
import { DAY } from "../storage/deploys.ts";
import { act, newRoom, ran, steeredByClock, user, wholeOf } from "./steered-room.ts";

steeredByClock();

/** A room whose log is written by readers alone. */
function roomBehind(): string {
  heldTimers(1_000);
  return newRoom("steered-behind");
}

const say = (name: string) => roomAt(name).publish({ target: "said", params: "[]" });
const written = (name: string) => roomAt(name).history({});
const crash = (name: string) =>
  runInDurableObject(roomAt(name), (_, state) => state.abort("A crash.")).catch(() => {});

it("changes after a crash are kept, where messages expired while newer ones were not written", async () => {
  const name = roomBehind();
  await act(name, "add", 1);
  await say(name);
  await written(name);
  vi.setSystemTime(Date.now() + 2 * DAY * 1_000);
  await act(name, "add", 1);
  await written(name);
  await say(name);
  await runDurableObjectAlarm(roomAt(name));
  await crash(name);
  expect(await act(name, "add", 1)).toBe(3);
  await written(name);
  await crash(name);
  expect(await wholeOf(name)).toEqual({ count: 3 });
});

it("an answer is remembered that was not written when the history was removed", async () => {
  const name = roomBehind();
  await act(name, "add", 1);
  await written(name);
  const run = { action: "add", args: [1], key: "once" };
  await ran(name, run);
  await roomAt(name).clear();
  await crash(name);
  expect(await ran(name, run)).toEqual({ result: 2, repeated: true });
});

const factsOf = (name: string) =>
  runInDurableObject(roomAt(name), (_, { storage: { sql } }) => {
    const isThere =
      sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'facts'").toArray().length > 0;
    return isThere ? sql.exec("SELECT value FROM facts").toArray() : "no table";
  });
const steps = (...given: readonly unknown[][]) => ({ action: "steps", args: [given] });

it.each(["crashes", "fails"])(
  "a schedule is as it was where the flush that changes it %s, and the log is written before",
  async (how) => {
    heldTimers(1_000);
    const name = newRoom("modelled-behind");
    await ran(name, steps(["in", 10, "kept", []]));
    await written(name);
    await ran(name, steps(["set", ["a"], 1]));
    await runInDurableObject(roomAt(name), async (one) => {
      const { log, outbox, state } = (one as unknown as { parts: RoomParts }).parts;
      const plan = [
        [
          ["in", 20, "lost", []],
          ["cancel", "kept"],
          ["set", ["poison"], true],
        ],
      ];
      await state!.run({ action: "steps", args: JSON.stringify(plan), user });
      // As its timer does.
      log.save!();
      if (how === "fails") outbox.flush();
    });
    await crash(name);
    expect(await wholeOf(name)).toEqual({ a: 1 });
    expect(await roomAt(name).schedule()).toMatchObject([{ id: "kept" }]);
  },
);

it("an import is as a whole after a crash, rows of tables among it", async () => {
  heldTimers(1_000);
  const [name, copy] = [newRoom("modelled-behind-sql"), newRoom("modelled-behind-sql")];
  await ran(name, steps(["set", ["a"], 1], ["insert", 1]));
  const exported = (await roomAt(name).exportState()) as Uint8Array;
  await roomAt(copy).importState(exported);
  await crash(copy);
  expect([await wholeOf(copy), await factsOf(copy)]).toEqual([{ a: 1 }, [{ value: 1 }]]);
});

it.each([
  ["several statements", "INSERT INTO facts VALUES (1); SELECT 1", [{ value: 1 }]],
  ["a table that is dropped", "DROP TABLE facts", "no table"],
])("SQL whose rows are not counted is saved with the state: %s", async (_, text, kept) => {
  heldTimers(1_000);
  const name = newRoom("modelled-behind-sql");
  await ran(name, steps(["set", ["a"], 1], ["query", text]));
  await crash(name);
  expect([await wholeOf(name), await factsOf(name)]).toEqual([{ a: 1 }, kept]);
});

it("SQL that writes and then throws is saved with the state of an action that goes on", async () => {
  heldTimers(1_000);
  const name = newRoom("modelled-behind-sql");
  const text = "INSERT INTO facts VALUES (1); INSERT INTO nowhere VALUES (1)";
  await ran(name, steps(["set", ["a"], 1], ["attempt", text]));
  await crash(name);
  expect([await wholeOf(name), await factsOf(name)]).toEqual([{ a: 1 }, [{ value: 1 }]]);
});

it("a deletion of all rows is saved with the state", async () => {
  heldTimers(1_000);
  const name = newRoom("modelled-behind-sql");
  await ran(name, steps(["insert", 1], ["insert", 2]));
  await ran(name, steps(["set", ["a"], 1], ["query", "DELETE FROM facts"]));
  await crash(name);
  expect([await wholeOf(name), await factsOf(name)]).toEqual([{ a: 1 }, []]);
});

it("SQL that only reads is written behind, also with a semicolon at its end", async () => {
  heldTimers(1_000);
  const name = newRoom("modelled-behind-sql");
  await ran(name, steps(["set", ["a"], 1]));
  await written(name);
  await ran(name, steps(["set", ["a"], 2], ["query", "SELECT value FROM facts; "]));
  await crash(name);
  expect(await wholeOf(name)).toEqual({ a: 1 });
});
