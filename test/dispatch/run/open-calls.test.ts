// When a call of SignalR may begin: answers that its client has not taken hold it back.

import { expect, it } from "vitest";
import { OpenCalls } from "../../../src/dispatch/run/open-calls.ts";
import type { Session } from "../../../src/dispatch/run/session.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { systemClock } from "../../../src/rooms/platform/loop-timing.ts";

/** A connection whose socket holds `queue.bytes`, and the calls that have begun on it. */
function calling(binding: "json" | "json-rpc") {
  const [queue, begun] = [{ bytes: 0 }, [] as string[]];
  const session = {
    ...{ limits: LIMITS, unsentChars: 0 },
    connection: {
      ...{
        attached: {},
        flow: { written: 0, unsent: 0, untaken: 0, lookAt: 0 },
        spareBytes: 2_048,
      },
      protocol: { binding },
      get socket() {
        return { bufferedAmount: queue.bytes };
      },
    },
    host: { settings: { limits: LIMITS }, clock: systemClock, waitUntil: () => {} },
  } as unknown as Session;
  const calls = new OpenCalls(session);
  const call = (id: string) =>
    calls.inTurn({ id, held: 0, cancel: () => {}, run: async () => void begun.push(id) });
  return { queue, begun, call, session };
}

it("waits while answers are in the socket's queue or wait for a flush, and begins once they are taken", async () => {
  const { queue, begun, call, session } = calling("json");
  queue.bytes = LIMITS.queuedBytes;
  call("a");
  call("b");
  expect(begun).toEqual([]);
  session.unsentChars = LIMITS.queuedBytes;
  queue.bytes = 0;
  call("c");
  expect(begun).toEqual([]);
  session.unsentChars = 0;
  await expect.poll(() => begun).toEqual(["a", "b", "c"]);
});

it("begins at once in JSON-RPC, where a batch is answered together", () => {
  const { queue, begun, call } = calling("json-rpc");
  queue.bytes = LIMITS.queuedBytes;
  call("a");
  expect(begun).toEqual(["a"]);
});
