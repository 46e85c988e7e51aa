// The turns of a connection's calls: how many run and wait, and what becomes of those that wait when one is cancelled
// or the connection ends.

import { expect, it } from "vitest";
import { OpenCalls, type OpenCall } from "../../../src/dispatch/run/open-calls.ts";
import type { Session } from "../../../src/dispatch/run/session.ts";
import { HubError } from "../../../src/model/errors.ts";
import { LIMITS } from "../../../src/model/options.ts";
import { systemClock } from "../../../src/rooms/platform/loop-timing.ts";

const SPARE = 100;
const LONG_ID = "x".repeat(150);

/** A connection of JSON-RPC with one turn, two places to wait and a stream, and 100 bytes to spare. */
function taking(resumable?: object) {
  const begun: unknown[] = [];
  const cancelled: unknown[] = [];
  const remembered: (readonly string[])[] = [];
  const memory = { held: 0 };
  const gates = new Map<unknown, PromiseWithResolvers<void>>();
  const connection = {
    ...{ attached: {}, flow: { written: 0, unsent: 0, untaken: 0, lookAt: 1 } },
    ...{ spareBytes: SPARE, protocol: { binding: "json-rpc" }, resumable },
    held: {
      take: (bytes: number) => memory.held + bytes <= SPARE && ((memory.held += bytes), true),
      release: (bytes: number) => void (memory.held -= bytes),
    },
  };
  const limits = { ...LIMITS, parallelCalls: 1, queuedCalls: 2, streamsPerConnection: 1 };
  const calls = new OpenCalls({
    ...{ limits, unsentChars: 0, connection },
    host: {
      ...{ settings: { limits }, clock: systemClock, waitUntil: () => {} },
      connections: { remember: (_: unknown, ids: readonly string[]) => remembered.push(ids) },
    },
  } as unknown as Session);
  const callOf = (id: string, held = 0): OpenCall => {
    const gate = Promise.withResolvers<void>();
    gates.set(id, gate);
    return {
      ...{ id, held, cancel: () => (cancelled.push(id), gate.resolve()) },
      async run(release) {
        begun.push(id);
        if (id.startsWith("releases")) {
          release();
          release();
        }
        await gate.promise;
      },
    };
  };
  const call = (id: string, held?: number) => calls.inTurn(callOf(id, held));
  const end = async (id: string) => {
    gates.get(id)!.resolve();
    await scheduler.wait(0);
  };
  return { calls, callOf, call, end, begun, cancelled, remembered, memory, connection };
}

const code = (name: string) => expect.objectContaining({ code: name });
const gone = () => new HubError("interrupted", "The connection is gone.");

it("lets as many wait as may, and begin in their order", async () => {
  const { call, end, begun } = taking();
  for (const id of ["a", "b", "c"]) call(id);
  expect(() => call("d")).toThrow(code("rate_limited"));
  await end("a");
  call("d");
  expect(begun).toEqual(["a", "b"]);
  for (const id of ["b", "c", "d"]) await end(id);
  expect(begun).toEqual(["a", "b", "c", "d"]);
});

it("gives away the turn of a call once, however often it is released", async () => {
  const { call, end, begun } = taking();
  for (const id of ["releases", "b", "c"]) call(id);
  expect(begun).toEqual(["releases", "b"]);
  await end("releases");
  expect(begun).toEqual(["releases", "b"]);
});

it("takes the memory of calls, and gives it back when they end or no longer wait", async () => {
  const { calls, call, end, memory, connection } = taking();
  call("a", SPARE);
  call("b", SPARE);
  expect(() => call("c", 1)).toThrow(code("busy"));
  expect([connection.spareBytes, memory.held]).toEqual([0, SPARE]);
  calls.cancel("b", gone());
  expect(memory.held).toBe(0);
  await end("a");
  expect(connection.spareBytes).toBe(SPARE);
});

it("never begins a call that was cancelled while it waited, and frees its id and place", async () => {
  const { calls, call, end, begun, cancelled } = taking();
  for (const id of ["a", "b"]) call(id);
  expect(() => call("b")).toThrow(code("duplicate_id"));
  call("c");
  calls.cancel("b", gone());
  call("d");
  for (const id of ["a", "c", "d"]) await end(id);
  expect([begun, cancelled]).toEqual([["a", "c", "d"], ["b"]]);
  call("b");
  await end("b");
  expect(begun.at(-1)).toBe("b");
});

it("drops waiting calls where the server ends the connection, else they have their turn", async () => {
  const [byServer, byClient] = [taking(), taking()];
  for (const { call } of [byServer, byClient]) for (const id of ["a", "b"]) call(id);
  byServer.calls.close(gone, true);
  byClient.calls.close(gone, false);
  const served = byClient.calls.served(60);
  await scheduler.wait(0);
  await byClient.end("b");
  await Promise.all([byServer.calls.settled(), served]);
  expect([byServer.begun, byServer.cancelled]).toEqual([["a"], ["a"]]);
  expect([byClient.begun, byClient.cancelled]).toEqual([["a", "b"], ["a"]]);
});

it("waits for the turns of calls only so long", async () => {
  const { calls, call, begun } = taking();
  for (const id of ["a", "b"]) call(id);
  await calls.served(0.001);
  calls.cancel("a", gone());
  await calls.settled();
  expect(begun).toEqual(["a"]);
});

it("is answered when no call but streams is open", async () => {
  const { calls, call, callOf, end } = taking();
  calls.beside(callOf("stream"));
  expect(() => calls.beside(callOf("second"))).toThrow(code("too_many_streams"));
  call("a");
  const answered = calls.answered();
  await end("a");
  await answered;
});

it("is crowded once more calls are under way than may wait", async () => {
  const { calls, call } = taking();
  for (const id of ["releases 1", "releases 2"]) call(id);
  expect(calls.isCrowded).toBe(false);
  call("releases 3");
  expect(calls.isCrowded).toBe(true);
});

it("remembers the ids of streams, and of all calls that outlive a socket, if they are short", async () => {
  const [usual, resumable] = [taking(), taking({ size: 0 })];
  for (const { call, calls, callOf } of [usual, resumable]) {
    call("a");
    calls.beside(callOf("stream"));
    call(LONG_ID);
  }
  expect(usual.remembered.at(-1)).toEqual(['"stream"']);
  expect(resumable.remembered.at(-1)).toEqual(['"a"', '"stream"']);
  for (const { end } of [usual, resumable]) await end("stream");
  expect([usual.remembered.at(-1), resumable.remembered.at(-1)]).toEqual([[], ['"a"']]);
});
