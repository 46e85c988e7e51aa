// `env` and `waitUntil` of hub code, in the worker and in its objects.

import { exports } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { enter, token, type Client } from "../../rooms/client.ts";

afterEach(() => void vi.restoreAllMocks());

const ISSUER = "dormouse";

/** Everything noted once all of these are. The reader's own calls are left out. */
async function traceUntil(reader: Client, ...places: readonly string[]): Promise<Set<string>> {
  const noted: string[] = [];
  const expected = places.flatMap((place) => [`${place}: ${ISSUER}`, `${place}, later`]);
  await vi.waitFor(async () => {
    noted.push(...((await reader.call("trace")).result as string[]));
    expect(noted).toEqual(expect.arrayContaining(expected));
  });
  return new Set(noted);
}

it("every handler has the worker's env, and work that goes on after it", async () => {
  using reader = await enter("runtime/group:reader");
  using alice = await enter("runtime/group:lobby", { user: "alice" });
  await traceUntil(
    reader,
    ...["enter", "filter of connected", "connected", "joined", "presenceChanged"],
  );
  await alice.call("call");
  await traceUntil(reader, "authorize a call", "policy", "filter", "method");
  alice.send({ jsonrpc: "2.0", id: "s", method: "count", params: [] });
  alice.send({ jsonrpc: "2.0", id: "u", method: "send", params: [{ $stream: "items" }] });
  alice.send({ jsonrpc: "2.0", method: "$/item", params: { stream: "items", item: 1 } });
  await traceUntil(reader, "stream", "upload of 1");
  await alice.call("$/history", {});
  await alice.call("$/join", { room: "group:other" });
  await traceUntil(reader, "history", "enter");
  alice.socket.close(1000);
  const last = await traceUntil(reader, "filter of disconnected", "disconnected", "left");
  expect(last).not.toContain(`connected: ${ISSUER}`);
});

it("policies of connections and feeds have them in the worker", async () => {
  using reader = await enter("runtime/group:reader");
  await reader.call("trace");
  const headers = { authorization: `Bearer ${await token("alice")}` };
  const url = "https://edge.example";
  const stream = await exports.default.fetch(`${url}/runtime/street`, { headers });
  await traceUntil(reader, "feed", "enter");
  await stream.body!.cancel();
  const body = { jsonrpc: "2.0", id: 1, method: "call" };
  const response = await exports.default.fetch(`${url}/hubs/runtime/rpc`, {
    ...{ method: "POST", body: JSON.stringify(body) },
    headers: { ...headers, "content-type": "application/json" },
  });
  expect(await response.json()).toMatchObject({ result: true });
  await traceUntil(reader, "authorize", "method");
});

it("an error in the background is logged with its hub and method, and the call succeeds", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
  using alice = await enter("runtime/group:lobby");
  expect((await alice.call("fail")).result).toBeNull();
  await vi.waitUntil(() => lines.length > 0);
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    {
      ...{ level: "error", event: "wait_until_failed", hub: "runtime", method: "fail" },
      error: expect.stringMatching(/^Error: in the background\n/),
    },
  ]);
});

it("calls of a connection are refused while 100 works of earlier ones are under way", async () => {
  using alice = await enter("runtime/group:busy");
  using bob = await enter("runtime/group:busy", { user: "bob" });
  for (let n = 0; n < 100; n++) expect((await alice.call("begin")).error).toBeUndefined();
  expect((await alice.call("begin")).error).toMatchObject({
    ...{
      message: "100 promises of earlier calls are under way (limits.queuedCalls).",
      data: { code: "rate_limited" },
    },
  });
  expect((await bob.call("finish")).error).toBeUndefined();
  await vi.waitFor(async () => expect((await alice.call("begin")).error).toBeUndefined());
  await bob.call("finish");
});
