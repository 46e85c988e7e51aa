// A client that goes on and on: refused at first, let go at last, and nobody else notices.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter, roomAt } from "../../rooms/client.ts";
import { range } from "../../rooms/storage.ts";
import { request } from "../frames.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

it("refuses calls over the rate, and closes with 4429 who is refused a thousand times", async () => {
  using bystander = await enter("chat/group:flooded", { user: "bob" });
  using flooder = await enter("chat/group:flooded", { user: "mallory" });
  const call = { jsonrpc: "2.0", id: "x", method: "sendToRoom", params: ["flooded", "again"] };
  const frame = JSON.stringify(Array.from({ length: 100 }, () => ({ ...call, id: undefined })));
  flooder.send(frame); // the burst
  expect((await flooder.call("sendToRoom", ["flooded", "late"])).error).toMatchObject({
    code: -32005,
    data: { code: "rate_limited" },
  });
  for (let n = 0; n < 10; n++) flooder.send(frame);
  expect(await flooder.closed).toMatchObject({ code: 4429 });
  expect((await bystander.call("sendToRoom", ["flooded", "fine"])).error).toBeUndefined();
  await bystander.next(({ params }) => params?.[1] === "fine");
  expect(bystander.messages("receiveMessage")).toHaveLength(101);
});

it("refuses what a batch asks for once a megabyte of its answers waits to be sent", async () => {
  const room = "chat/group:asked";
  const params = JSON.stringify(["bob", "x".repeat(100_000)]);
  for (let n = 0; n < 4; n++) await roomAt(room).publish({ target: "receiveMessage", params });
  using eve = await enter(room, { user: "eve" });
  await eve.said("userJoined");
  eve.send(range(1, 100).map((id) => request(id, "$/history")));
  await eve.heardFrame(({ id }) => id === 100);
  const outcomes = eve.heard.flatMap(({ id, result, error }) =>
    typeof id === "number" ? (error?.data.code ?? result.messages.length) : [],
  );
  expect(outcomes).toEqual([5, 5, 5, ...Array(97).fill("rate_limited")]);
  expect(Math.max(...eve.frames.map(({ length }) => length))).toBeLessThan(2 * 1024 * 1024);
  expect((await eve.call("$/presence")).error?.data.code).toBe("rate_limited");
  vi.setSystemTime(Date.now() + 1_000);
  expect((await eve.call("$/history")).result.messages).toHaveLength(5);
});
