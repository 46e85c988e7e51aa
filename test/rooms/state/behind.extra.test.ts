// Rooms with state whose log is written behind, where something comes before it is written.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { heldTimers } from "../../support/held-timers.ts";
import { roomAt } from "../client.ts";
import { DAY } from "../storage/deploys.ts";
import { act, newRoom, ran, steeredByClock, wholeOf } from "./steered-room.ts";

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
