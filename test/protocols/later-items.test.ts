// Items of later versions behind those of a MessagePack message that are known: they are ignored, whatever they hold.

import { expect, test } from "vitest";
import { signalrMsgpack } from "../../src/protocols/signalr-msgpack.ts";
import { buffer, hear } from "./hub-stream.ts";

const msgpack = signalrMsgpack({ verbatim: false });

test.each([
  ["of 100 levels", `${"91".repeat(100)} c0`],
  ["of an application's extension", "d4 05 00"],
  ["with a key __proto__", "81 a9 5f5f70726f746f5f5f 01"],
])("items of later versions are ignored %s", (_title, item) => {
  const heard = (payload: string) => {
    const message = Uint8Array.fromHex(payload.replaceAll(" ", ""));
    return hear(msgpack, [
      buffer([(message.length & 0x7f) | 0x80, message.length >> 7, ...message]),
    ]).messages;
  };
  const args = { args: [], streaming: false, anyCase: true };
  expect(heard(`97 01 80 a1 37 a1 6d 90 90 ${item}`)).toEqual([
    { type: "invocation", id: "7", target: "m", ...args },
  ]);
  expect(heard(`95 02 80 a1 37 07 ${item}`)).toEqual([{ type: "item", stream: "7", item: 7 }]);
  expect(heard(`96 03 80 a1 37 03 07 ${item}`)).toEqual([
    { type: "completed", id: "7", result: 7 },
  ]);
  expect(heard(`94 05 80 a1 37 ${item}`)).toEqual([{ type: "cancel", id: "7" }]);
  expect(heard(`92 06 ${item}`)).toEqual([{ type: "ping" }]);
  expect(heard(`92 0a ${item}`)).toEqual([]);
});
