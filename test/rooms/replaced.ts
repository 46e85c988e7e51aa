// Objects one of whose methods a test replaces, as other objects call it.

import { runInDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import { hasTable } from "../../src/rooms/platform/storage-version.ts";
import type { RoomRpc } from "../../src/rooms/rpc/room-rpc.ts";
import { roomAt } from "./client.ts";

/** Makes the method anew from the real one. RPC sees what prototypes have, and no instance's own properties. */
export const replace = <K extends keyof RoomRpc>(
  room: string,
  name: K,
  remake: (real: RoomRpc[K], restore: () => void) => RoomRpc[K],
): Promise<void> =>
  runInDurableObject(roomAt(room), (instance) => {
    const prototype = Object.getPrototypeOf(instance) as RoomRpc;
    const real = prototype[name].bind(instance) as RoomRpc[K];
    const restore = () => void Object.setPrototypeOf(instance, prototype);
    const layer = Object.create(prototype) as RoomRpc;
    layer[name] = remake(real, restore);
    Object.setPrototypeOf(instance, layer);
  });

/** The next call fails; `done` where it has its effect first, so that only the answer is lost. */
export const failOnce = (room: string, name: "follow", how: "done" | "undone"): Promise<void> =>
  failTimes(room, name, { how, times: 1 });

/** A call is tried twice: this one fails for its caller. */
export const failTwice = (room: string, name: "follow", how: "done" | "undone"): Promise<void> =>
  failTimes(room, name, { how, times: 2 });

const failTimes = (
  room: string,
  name: "follow",
  { how, times }: { readonly how: "done" | "undone"; readonly times: number },
): Promise<void> => {
  let left = times;
  return replace(room, name, (real, restore) => async (...args) => {
    if (--left === 0) restore();
    if (how === "done") await real(...args);
    throw new Error("Lost on its way.");
  });
};

/**
 * Calls wait until they are let go; `held()` resolves when one does, and looks for it: a test must not be woken by it.
 */
export async function hold(room: string, name: "follow" | "missed") {
  const letGo = Promise.withResolvers<void>();
  let isHeld = false;
  type Method = (...args: never[]) => Promise<never>;
  await replace(room, name, (method) => {
    const real = method as Method;
    const holding: Method = async (...args) => {
      isHeld = true;
      await letGo.promise;
      return real(...args);
    };
    return holding as RoomRpc[typeof name];
  });
  return {
    held: () => expect.poll(() => isHeld, { interval: 2 }).toBe(true),
    letGo: () => letGo.resolve(),
  };
}

/** None where the room has stored nothing yet. */
export const rowsOf = (room: string, table: string): Promise<object[]> =>
  runInDurableObject(roomAt(room), (_, { storage }) =>
    hasTable(storage, table) ? storage.sql.exec(`SELECT * FROM ${table}`).toArray() : [],
  );
