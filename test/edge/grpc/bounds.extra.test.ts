// What bounds a call that its caller does not end: time, the token, and the calls that it has open.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { CONFIRM_MS } from "../../../src/edge/grpc/grpc-session.ts";
import { toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { heldTimers } from "../../support/held-timers.ts";
import { relayOf } from "../../rooms/relay/client.ts";
import { enter } from "../../rooms/client.ts";
import { as, clientBy, failure, SERVICE } from "./client.ts";
import { begun, Talker } from "./talker.ts";
import { HUB, raw } from "./raw.ts";
import { item, list, streaming, uploaded } from "./values.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("gives a session up whose caller does not echo in time, and lets go of its socket", async () => {
  const timer = heldTimers(CONFIRM_MS);
  using talk = new Talker(clientBy(), await as("alice"));
  talk.say({ case: "hello", value: { hub: "plain" } });
  const ready = await talk.next();
  if (ready?.case !== "ready") throw new Error("It did not begin.");
  timer.expire();
  expect(await failure(talk.next())).toEqual(["Unimplemented", "unimplemented"]);
  const { connectionId: id } = ready.value;
  const isThere = () =>
    runInDurableObject(relayOf("plain", id), (object) => {
      const { parts } = object as unknown as { parts: { connections: Map<string, unknown> } };
      return parts.connections.get(id) !== undefined;
    });
  while (await isThere()) await scheduler.wait(1);
});

it("keeps a session whose caller has echoed", async () => {
  const timer = heldTimers(CONFIRM_MS);
  using talk = await begun("zoo");
  const invoke = { method: "echo", arguments: list([1]) };
  expect((await talk.answer(talk.say({ case: "invoke", value: invoke }))).case).toBe("invoked");
  timer.expire();
  expect((await talk.answer(talk.say({ case: "invoke", value: invoke }))).case).toBe("invoked");
});

it("says nothing more in an upload whose token has expired", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  using bob = await enter("plain/group:expired", { user: "bob" });
  const exp = Math.floor(Date.now() / 1000) + 10;
  const gate = Promise.withResolvers<void>();
  async function* said() {
    yield uploaded("group:expired", "one");
    await gate.promise;
    yield uploaded("group:expired", "two");
  }
  const work = failure(clientBy().upload(said(), await as("s", { ...SERVICE, exp })));
  await bob.next((frame) => frame.method === "said");
  // The leeway of 60 seconds is over as well.
  vi.setSystemTime(Date.now() + 80_000);
  gate.resolve();
  expect(await work).toEqual(["Unauthenticated", "token_expired"]);
});

it("ends the work of a unary call whose caller vanishes", async () => {
  const abort = new AbortController();
  const options = await as("alice");
  const hold = { hub: "slow", method: "hold", arguments: list(["vanished"]) };
  const work = failure(clientBy().invoke(hold, { ...options, signal: abort.signal }));
  await until(async () => {
    const { result } = await clientBy().invoke({ hub: "slow", method: "trace" }, options);
    return JSON.stringify(toJson(ValueSchema, result!)).includes("begin vanished");
  });
  expect(await askers("slow")).toBe(1);
  abort.abort();
  expect((await work)[0]).toBe("Canceled");
  await until(async () => (await askers("slow")) === 0);
});

/** Calls over HTTP that a hub's first relay works at. */
const askers = (hub: string): Promise<number> =>
  runInDurableObject(relayOf(hub, "x@relay:any.0.0"), (object) => {
    const { parts } = object as unknown as {
      parts: { connections: { all: ReadonlySet<{ httpCaller?: object }> } };
    };
    return [...parts.connections.all].filter(({ httpCaller }) => httpCaller).length;
  });

/** Each look awaits an object. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await scheduler.wait(1);
}

it("answers a call of a session that is too long under its own id", async () => {
  using talk = await begun("zoo");
  // As bytes within the limit, as text beyond it.
  const long = { method: "echo", arguments: list(["\u0001".repeat(10_000)]) };
  const short = { method: "echo", arguments: list(["short"]) };
  const [refused, answered] = [long, short].map((value) => talk.say({ case: "invoke", value }));
  expect((await talk.answer(refused!)).value).toMatchObject({ code: "too_large" });
  expect((await talk.answer(answered!)).case).toBe("invoked");
});

it("gives up a call without an id of its own, although that is the id of a call", async () => {
  using talk = await begun("slow");
  talk.say({ case: "invoke", value: { method: "hold", arguments: list(["never"]) } }, 0);
  talk.say({ case: "cancel", value: 0 }, 0);
  expect((await talk.answer(0)).value).toMatchObject({ code: "cancelled" });
});

/** A body that has begun, and says nothing. */
const silent = (): ReadableStream<Uint8Array> => new ReadableStream();

it.each([
  ["Publish", "application/json", 504],
  ["Upload", "application/connect+json", 200],
  ["Subscribe", "application/connect+json", 200],
])("gives up a %s whose message does not come", async (method, type, status) => {
  const timers = heldTimers(90_000);
  const asked = raw(silent(), { path: `${HUB}/${method}`, type });
  await expect.poll(() => timers.count, { interval: 2 }).toBe(1);
  timers.expire();
  const response = await asked;
  expect(response.status).toBe(status);
  expect(await response.text()).toContain('"code":"deadline_exceeded"');
});

it("gives up a session that does not begin", async () => {
  const timers = heldTimers(CONFIRM_MS);
  const path = `${HUB}/Session`;
  const asked = raw(silent(), { path, type: "application/connect+json" });
  await expect.poll(() => timers.count, { interval: 2 }).toBe(1);
  timers.expire();
  expect(await (await asked).text()).toContain('"code":"unimplemented"');
});

it.each([
  ["Publish", "application/json"],
  ["Subscribe", "application/connect+json"],
  ["Upload", "application/connect+json"],
])("keeps to the deadline of a %s whose message does not come", async (method, type) => {
  const headers = { "connect-timeout-ms": "30" };
  const response = await raw(silent(), { path: `${HUB}/${method}`, type, headers });
  expect(await response.text()).toContain('"code":"deadline_exceeded"');
});

it("gives up a method that does not answer once its stream has ended", async () => {
  // As many seconds as no other timer has.
  const timers = heldTimers(37_000);
  async function* messages() {
    yield* [streaming("narrow", "sumLate", ["never"]), item(1)];
  }
  const outcome = failure(clientBy().upload(messages(), await as("alice")));
  await expect.poll(() => timers.running, { interval: 2 }).toBe(1);
  timers.expire();
  expect(await outcome).toEqual(["DeadlineExceeded", "timed_out"]);
});
