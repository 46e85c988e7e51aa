// The platform gives up an alarm that fails for two minutes: the room sets it again when it wakes.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import type { Room } from "../../../src/worker.ts";
import { AlarmAgenda } from "../../../src/rooms/platform/alarm-agenda.ts";
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

it("messages to other rooms that an earlier life left are sent after the next wake", async () => {
  const [name, other] = [newRoom("odd"), `group:${crypto.randomUUID()}`];
  await act(name, "add", 1);
  const rows = () =>
    runInDurableObject(roomAt(name), (_, { storage }) =>
      storage.sql.exec("SELECT offset FROM room_outgoing").toArray(),
    );
  // The table is made with its first row.
  await act(name, "tell", crypto.randomUUID(), "first");
  await vi.waitFor(async () => expect(await rows()).toEqual([]));
  await runInDurableObject(roomAt(name), async (_, { storage }) => {
    const left = [[other, { target: "said", params: '["left"]', id: "e:9/0" }]];
    storage.sql.exec("INSERT INTO room_outgoing VALUES (9, ?)", JSON.stringify(left));
    await storage.deleteAlarm();
  });
  await evictDurableObject(roomAt(name));
  await wholeOf(name);
  await vi.waitFor(async () => expect(await alarmOf(roomAt(name))).toBeTypeOf("number"));
  await pass(name, 2);
  await vi.waitFor(async () => expect(await rows()).toEqual([]));
});

it("a room whose alarm has failed often has a later one, although it is cut off again", async () => {
  const name = newRoom("odd");
  await act(name, "later", 3_600, 5);
  const alarmAt = await runInDurableObject(roomAt(name), async (room, { storage }) => {
    await storage.deleteAlarm();
    vi.spyOn(AlarmAgenda.prototype, "arm").mockImplementationOnce(function (this: AlarmAgenda, at) {
      this.arm(at);
      throw new Error("cut off");
    });
    const info = { scheduledTime: Date.now(), retryCount: 4, isRetry: true };
    await expect((room as unknown as Room).alarm(info)).rejects.toThrow("cut off");
    return storage.getAlarm();
  });
  expect(alarmAt).toBe(Date.now() + 600_000);
});
