// Erasures of rooms whose state lives elsewhere, too: it is gone here at once, and there as soon as it can be.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { steering, untilReleased } from "../../support/steered-hub.ts";
import { roomAt } from "../client.ts";
import { act, database, newRoom, pass, steeredByClock, wholeOf } from "./steered-room.ts";

steeredByClock();

describe("[F15] an erased room", () => {
  /** With a database that has its state, and is down when it is erased. */
  async function erasedRoom() {
    const name = newRoom();
    const elsewhere = database(name);
    await act(name, "add", 41);
    await pass(name, 3);
    expect(elsewhere.row).toEqual({ count: 41 });
    elsewhere.isDown = true;
    await roomAt(name).erase();
    return { name, elsewhere };
  }

  it("is not loaded again before it is erased elsewhere", async () => {
    const { name } = await erasedRoom();
    expect(await wholeOf(name)).toEqual({ count: 0 });
    await pass(name, 2);
    await evictDurableObject(roomAt(name));
    expect(await wholeOf(name)).toEqual({ count: 0 });
    expect(await roomAt(name).reloadState()).not.toHaveProperty("fault");
    expect(await wholeOf(name)).toEqual({ count: 0 });
  });

  it("keeps what is done in it afterwards, here and elsewhere", async () => {
    const { name, elsewhere } = await erasedRoom();
    await evictDurableObject(roomAt(name));
    expect(await act(name, "add", 1)).toBe(1);
    elsewhere.isDown = false;
    await pass(name, 400);
    expect(elsewhere.saved.slice(1)).toEqual([undefined, { count: 1 }]);
  });

  it("is erased elsewhere however long that is down", async () => {
    const { name, elsewhere } = await erasedRoom();
    await pass(name, 3_600, 30);
    elsewhere.isDown = false;
    await pass(name, 600, 30);
    expect(elsewhere.saved.slice(1)).toEqual([undefined]);
  });
});

describe("[F15] an erasure", () => {
  it("reaches the row of a room that was never used here", async () => {
    const name = newRoom();
    const elsewhere = database(name, { count: 7 });
    await roomAt(name).erase();
    await pass(name, 5);
    expect(elsewhere.saved).toEqual([undefined]);
    expect(await wholeOf(name)).toEqual({ count: 0 });
  });

  it("is saved as well where it comes while another one is being saved", async () => {
    const name = newRoom();
    const { saved } = database(name);
    const { save } = steering;
    steering.save = async (given) => {
      await untilReleased();
      save!(given);
    };
    await act(name, "add", 9);
    await pass(name, 2);
    await expect.poll(() => saved).toEqual([{ count: 9 }]);
    steering.isHeld = true;
    await roomAt(name).erase();
    await pass(name, 1);
    await act(name, "add", 5);
    await roomAt(name).erase();
    steering.isHeld = false;
    await expect.poll(() => saved.length).toBeGreaterThan(1);
    await pass(name, 10);
    expect(saved.slice(1)).toEqual([undefined, undefined]);
  });
});
