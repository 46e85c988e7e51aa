// The messages that a component's history keeps in memory, as the garbage collector finds them.

import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, onTestFinished } from "vitest";
import type { RoomConnection } from "../../src/components/hub-at.ts";
import { roomHistory } from "../../src/components/room-history.ts";
import type { AnyHub } from "../../src/dispatch/define/hub-definition.ts";

setFlagsFromString("--expose_gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MOST = 10;

const saved = (offset: number) => ({
  ...{ method: "said", params: ["hello"], position: `e:${offset}`, at: 1 },
});

function followed(history: () => Promise<object>) {
  const listeners: ((message: object) => void)[] = [];
  const none = () => () => {};
  const connection = {
    state: { status: "connected" },
    onMessage: (listener: (message: object) => void) => (listeners.push(listener), none),
    ...{ onState: none, onReload: none, onConnected: none, history },
  } as unknown as RoomConnection<AnyHub>;
  const value = roomHistory<AnyHub>({ most: MOST });
  onTestFinished(value.listen(connection, () => {}, undefined as never));
  const publish = (message: object) => listeners.forEach((listener) => listener(message));
  return { publish, read: () => value.read(connection, undefined as never) };
}

/** A function of its own: its frame, which may refer to a message, is gone when garbage is collected. */
function publishAll(publish: (message: object) => void): WeakRef<ReturnType<typeof saved>>[] {
  return Array.from({ length: 2_000 }, (_, n) => {
    const message = saved(n + 1);
    publish(message);
    return new WeakRef(message);
  });
}

it.each([
  { page: "is there", history: async () => ({ messages: [saved(0)], position: "e:0" }) },
  { page: "is not there yet", history: () => new Promise<object>(() => {}) },
])("are those that it shows where the page $page", async ({ history }) => {
  const { publish, read } = followed(history);
  await setImmediate();
  const references = publishAll(publish);
  const kept = () => {
    collectGarbage();
    return references.flatMap((reference) => reference.deref()?.position ?? []);
  };
  // References made in a turn of the event loop are kept until its end, and some longer by compiled code.
  await expect.poll(kept).toHaveLength(MOST);
  expect(kept()).toEqual(read().messages.map(({ position }) => position));
});
