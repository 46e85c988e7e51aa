// A call is answered once, whatever comes first: its result, its error, or its end by others, which may be repeated.

import { expect, it, vi } from "vitest";
import { Call } from "../../../src/dispatch/run/call.ts";
import type { Session } from "../../../src/dispatch/run/session.ts";
import { HubError } from "../../../src/model/errors.ts";
import type { Outgoing } from "../../../src/model/message.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { jsonRpc } from "../../../src/protocols/json-rpc-codec.ts";

const SPARE = 1_000;

/** A call whose work the test settles, the types of its answers, and what of its connection is counted. */
function calling() {
  const work = Promise.withResolvers<unknown>();
  const answers: Outgoing["type"][] = [];
  const began = vi.fn<() => void>();
  const session = {
    ...{ unsentChars: 0, limits: LIMITS, isClosed: false, background: { underWay: 0 } },
    connection: { protocol: jsonRpc, deferred: 0, spareBytes: SPARE },
    host: {
      ...{ settings: { limits: LIMITS, detailedErrors: false }, env: {} },
      activity: { refused() {}, answered() {}, counters: { calls: { instant: 0 } } },
    },
  } as unknown as Session;
  const call = new Call({
    ...{ session, id: "c", name: "hub.method", target: "method", held: 0 },
    answer: (one) => void answers.push((typeof one === "function" ? one() : one).type),
    work: () => (began(), work.promise),
  });
  const unsent = () => [session.unsentChars, session.connection.spareBytes];
  return { call, work, answers, began, unsent };
}

const cancelled = new HubError("cancelled", "The caller cancelled.");
const interrupted = new HubError("interrupted", "The connection is gone.");

it.each(["result", "error"])(
  "is answered once, though its %s comes after two ends",
  async (end) => {
    const { call, work, answers, unsent } = calling();
    const done = call.run(() => {});
    for (const error of [cancelled, interrupted]) call.cancel(error);
    expect(call.signal.reason).toBe(cancelled);
    if (end === "result") work.resolve(1);
    else work.reject(new HubError<string>("too_late", "Too late."));
    await done;
    expect([answers, unsent()]).toEqual([["failure"], [0, SPARE]]);
  },
);

it("does not begin once it was cancelled", async () => {
  const { call, answers, began } = calling();
  call.cancel(cancelled);
  await call.run(() => {});
  expect([answers, began.mock.calls.length]).toEqual([["failure"], 0]);
});

it("counts its answer until that is sent", async () => {
  const { call, work, answers, unsent } = calling();
  work.resolve("result");
  await call.run(() => {});
  expect([answers, unsent()]).toEqual([["record"], [0, SPARE]]);
});
