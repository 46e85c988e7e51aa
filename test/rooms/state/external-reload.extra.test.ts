// `reload` of a state that lives elsewhere, among actions that are not saved there yet.

import { describe, expect, it } from "vitest";
import { steering, untilReleased } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { act, database, newRoom, pass, steeredByClock, wholeOf } from "./steered-room.ts";

steeredByClock();

const codeOf = async (name: string) => {
  const reloaded = await roomAt(name).reloadState();
  return "fault" in reloaded ? reloaded.fault.code : "done";
};

/** With a load that waits while it is held; gives how many have begun. */
async function heldRoom(isSaved = true) {
  const name = newRoom();
  const elsewhere = database(name, { count: 1 });
  if (!isSaved) steering.save = undefined;
  const loads = { count: 0 };
  steering.load = async () => {
    loads.count += 1;
    const { row } = elsewhere;
    await untilReleased();
    return row;
  };
  expect(await wholeOf(name)).toEqual({ count: 1 });
  steering.isHeld = true;
  return { name, elsewhere, loads };
}

describe("[F14] a reload", () => {
  it("takes what was changed elsewhere", async () => {
    const name = newRoom();
    const elsewhere = database(name, { count: 1 });
    expect(await wholeOf(name)).toEqual({ count: 1 });
    elsewhere.row = { count: 7 };
    expect(await codeOf(name)).toBe("done");
    expect(await wholeOf(name)).toEqual({ count: 7 });
  });

  it("takes back no action that is not saved elsewhere yet", async () => {
    const name = newRoom();
    const elsewhere = database(name);
    await act(name, "add", 1);
    await pass(name, 3);
    expect(elsewhere.row).toEqual({ count: 1 });
    expect(await act(name, "add", 1)).toBe(2);
    expect(await codeOf(name)).toBe("done");
    expect([elsewhere.row, await wholeOf(name)]).toEqual([{ count: 2 }, { count: 2 }]);
  });

  it("is `unavailable` where an action cannot be saved elsewhere, and takes it back no more", async () => {
    const name = newRoom();
    const elsewhere = database(name, { count: 1 });
    expect(await act(name, "add", 1)).toBe(2);
    elsewhere.isDown = true;
    expect(await codeOf(name)).toBe("unavailable");
    expect(await wholeOf(name)).toEqual({ count: 2 });
    elsewhere.isDown = false;
    await pass(name, 3);
    expect(elsewhere.row).toEqual({ count: 2 });
  });

  it("loads again where an action runs meanwhile", async () => {
    const { name, elsewhere, loads } = await heldRoom();
    const reloading = codeOf(name);
    await expect.poll(() => loads.count).toBe(2);
    expect(await act(name, "add", 1)).toBe(2);
    steering.isHeld = false;
    expect(await reloading).toBe("done");
    expect([elsewhere.row, await wholeOf(name)]).toEqual([{ count: 2 }, { count: 2 }]);
    expect(loads.count).toBe(3);
  });

  it("takes what was loaded while an action ran that is saved nowhere else", async () => {
    const { name, loads } = await heldRoom(false);
    const reloading = codeOf(name);
    await expect.poll(() => loads.count).toBe(2);
    expect(await act(name, "add", 1)).toBe(2);
    steering.isHeld = false;
    expect(await reloading).toBe("done");
    expect([await wholeOf(name), loads.count]).toEqual([{ count: 1 }, 2]);
  });

  it("brings nothing back where the room is erased meanwhile", async () => {
    const { name, elsewhere, loads } = await heldRoom();
    const reloading = codeOf(name);
    await expect.poll(() => loads.count).toBe(2);
    await roomAt(name).erase();
    await pass(name, 3);
    expect(elsewhere.row).toBeUndefined();
    steering.isHeld = false;
    expect(await reloading).toBe("done");
    expect(await wholeOf(name)).toEqual({ count: 0 });
  });
});
