// The platform gives up an alarm that fails for two minutes: the room sets it again when it wakes.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { alarmOf } from "../alarms.ts";
import { roomAt } from "../client.ts";
import { act, newRoom, pass, steeredByClock, wholeOf } from "./steered-room.ts";

steeredByClock();

it("a scheduled action whose alarm was given up runs after the next wake", async () => {
  const name = newRoom("odd");
  await act(name, "later", 3_600, 5);
  await runInDurableObject(roomAt(name), (_, { storage }) => storage.deleteAlarm());
  await evictDurableObject(roomAt(name));
  vi.setSystemTime(Date.now() + 3_601_000);
  // A read, which sets no alarm by itself.
  expect(await wholeOf(name)).not.toMatchObject({ count: 5 });
  await vi.waitFor(async () => expect(await alarmOf(roomAt(name))).toBeTypeOf("number"));
  await pass(name, 1);
  expect(await wholeOf(name)).toMatchObject({ count: 5 });
});
