// What is not saved elsewhere yet, where that takes long, and where the room's object ends or has lost what it knew.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { heldTimers } from "../../support/held-timers.ts";
import { steering } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { act, database, newRoom, pass, steeredByClock, wholeOf } from "./steered-room.ts";

steeredByClock();

/** From now on saves of the room never settle; gives how many have begun. */
function hang(): { count: number } {
  const begun = { count: 0 };
  steering.save = () => {
    begun.count += 1;
    return new Promise(() => {});
  };
  return begun;
}

describe("[F15] a save", () => {
  it("that never settles has failed after 30 s, and is tried again", async () => {
    const name = newRoom();
    const elsewhere = database(name);
    const { save } = steering;
    const begun = hang();
    await act(name, "add", 1);
    await pass(name, 30);
    await act(name, "add", 1);
    expect([begun.count, elsewhere.saved]).toEqual([1, []]);
    steering.save = save;
    await pass(name, 3);
    expect(elsewhere.saved).toEqual([{ count: 2 }]);
  });

  it("that a crash has ended is repeated by its alarm", async () => {
    const name = newRoom();
    const elsewhere = database(name);
    const { save } = steering;
    const begun = hang();
    await act(name, "add", 1);
    await pass(name, 1);
    expect(begun.count).toBe(1);
    steering.save = save;
    await runInDurableObject(roomAt(name), (_, state) => state.abort("A crash.")).catch(() => {});
    await pass(name, 30, 30);
    expect(elsewhere.saved).toEqual([{ count: 1 }]);
  });

  it("of what a wake has found is not forgotten where somebody reads the state first", async () => {
    const name = newRoom();
    const elsewhere = database(name);
    elsewhere.isDown = true;
    await act(name, "add", 1);
    await pass(name, 2);
    await evictDurableObject(roomAt(name));
    elsewhere.isDown = false;
    expect(await wholeOf(name)).toEqual({ count: 1 });
    await pass(name, 3);
    expect(elsewhere.saved).toEqual([{ count: 1 }]);
  });
});

describe("[F15] a state that is written behind", () => {
  it("is saved elsewhere as it is after a crash, whatever was saved before", async () => {
    const name = newRoom("steered-behind");
    const elsewhere = database(name);
    heldTimers(1_000); // The log is written by readers alone.
    for (let n = 0; n < 3; n++) await act(name, "add", 1);
    await roomAt(name).history({});
    for (let n = 0; n < 5; n++) await act(name, "add", 1);
    await pass(name, 1);
    expect(elsewhere.saved).toEqual([{ count: 8 }]);
    await runInDurableObject(roomAt(name), (_, state) => state.abort("A crash.")).catch(() => {});
    expect(await wholeOf(name)).toEqual({ count: 3 });
    await pass(name, 2);
    expect(elsewhere.saved.slice(1)).toEqual([{ count: 3 }]);
    expect(await act(name, "add", 1)).toBe(4);
    await pass(name, 2);
    expect(elsewhere.saved.slice(2)).toEqual([{ count: 4 }]);
  });
});

describe("[F15] a room that nobody uses", () => {
  it.each(["hangs", "fails"])("does not end while a save back to `initial` %s", async (how) => {
    const name = newRoom();
    const elsewhere = database(name);
    await act(name, "add", 1);
    await pass(name, 3);
    const { save } = steering;
    if (how === "hangs") hang();
    else elsewhere.isDown = true;
    expect(await act(name, "add", -1)).toBe(0);
    await pass(name, 3_600, 30);
    [steering.save, elsewhere.isDown] = [save, false];
    expect(await wholeOf(name)).toEqual({ count: 0 });
    await pass(name, 90, 30);
    expect(elsewhere.saved).toEqual([{ count: 1 }, { count: 0 }]);
  });
});
