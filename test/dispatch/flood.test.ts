// A client that goes on and on: refused at first, let go at last, and nobody else notices.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter } from "../rooms/client.ts";

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
