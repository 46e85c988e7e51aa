// Objects one of whose methods a test replaces, as other objects call it.

import { runInDurableObject } from "cloudflare:test";
import type { Peer } from "../../src/rooms/peers.ts";
import { roomAt } from "./client.ts";

/** Makes the method anew from the real one. RPC sees what prototypes have, and no instance's own properties. */
export const replace = <K extends keyof Peer>(
  room: string,
  name: K,
  remake: (real: Peer[K], restore: () => void) => Peer[K],
): Promise<void> =>
  runInDurableObject(roomAt(room), (instance) => {
    const prototype = Object.getPrototypeOf(instance) as Peer;
    const real = prototype[name].bind(instance) as Peer[K];
    const restore = () => void Object.setPrototypeOf(instance, prototype);
    const layer = Object.create(prototype) as Peer;
    layer[name] = remake(real, restore);
    Object.setPrototypeOf(instance, layer);
  });

/** The next call fails; `done` where it has its effect first, so that only the answer is lost. */
export const failOnce = (room: string, name: "follow", how: "done" | "undone"): Promise<void> =>
  replace(room, name, (real, restore) => async (...args) => {
    restore();
    if (how === "done") await real(...args);
    throw new Error("Lost on its way.");
  });

/** Calls wait until they are let go. */
export async function hold(room: string, name: "follow" | "missed") {
  const [held, letGo] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  type Method = (...args: never[]) => Promise<never>;
  await replace(room, name, (method) => {
    const real = method as Method;
    const holding: Method = async (...args) => {
      held.resolve();
      await letGo.promise;
      return real(...args);
    };
    return holding as Peer[typeof name];
  });
  return { held: held.promise, letGo: () => letGo.resolve() };
}

export const rowsOf = (room: string, table: string): Promise<object[]> =>
  runInDurableObject(roomAt(room), (_, { storage }) =>
    storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );
