// What schedules are given, and when they run again.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { roomAt } from "../client.ts";
import { act, newRoom, pass, steeredByClock, wholeOf } from "./steered-room.ts";

steeredByClock();

describe("arguments of a schedule", () => {
  it.each(["in memory", "after a sleep"])("[ST2] are as they were given, %s", async (when) => {
    const name = newRoom("odd");
    await act(name, "put", "a", "x");
    expect(await act(name, "remind")).toBeNull();
    if (when === "after a sleep") await evictDurableObject(roomAt(name));
    await pass(name, 1);
    expect(await wholeOf(name)).toMatchObject({ notes: { note: { a: "x" } } });
    await pass(name, 1);
    expect(await wholeOf(name)).toMatchObject({ notes: { note: { text: "as given" } } });
  });

  it("[ST2] of one action fail no other of its flush", async () => {
    const name = newRoom("odd");
    await act(name, "put", "a", "x");
    const runs = Array.from({ length: 20 }, (_, n) => act(name, n === 10 ? "remind" : "add", 1));
    const answers = (await Promise.all(runs)).toSpliced(10, 1);
    expect(answers).toEqual(Array.from({ length: 19 }, (_, n) => n + 1));
  });

  it("[ST2] are not changed by an action that looks at them", async () => {
    const name = newRoom("odd");
    await act(name, "later", 1, 5);
    await act(name, "tamper").catch(() => {});
    await evictDurableObject(roomAt(name));
    await act(name, "tamper").catch(() => {});
    await pass(name, 1);
    expect(await wholeOf(name)).toMatchObject({ count: 5 });
  });
});

describe("a period", () => {
  it("[F17] goes on from the time that was planned, also after runs that have failed", async () => {
    const name = newRoom("odd-view");
    const start = Date.now();
    const pending = async () =>
      ((await act(name, "pending")) as { at: number; failures: number }[]).map((one) => [
        one.at - start,
        one.failures,
      ]);
    await act(name, "every", 60);
    await act(name, "add", 12);
    vi.setSystemTime(start);
    await pass(name, 60, 60); // The view throws at 13.
    expect(await pending()).toEqual([[61_000, 1]]);
    await evictDurableObject(roomAt(name));
    await pass(name, 1);
    expect(await pending()).toEqual([[66_000, 2]]);
    await act(name, "add", 5);
    await pass(name, 5);
    expect(await pending()).toEqual([[120_000, 0]]);
    await pass(name, 54);
    expect(await pending()).toEqual([[180_000, 0]]);
  });
});
