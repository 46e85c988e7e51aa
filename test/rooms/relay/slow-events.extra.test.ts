// A hub's stream that never waits, over Server-Sent Events, to a reader that does not read for a while: the stream
// waits for it, as in ASP.NET Core, though it is far longer than what may wait.

import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, it } from "vitest";
import { token } from "../client.ts";
import { negotiate, relayOf } from "./client.ts";

const RS = "\u001e";
const [ITEMS, ITEM_CHARS] = [400, 20_000];

interface Parts {
  readonly connections: { get(id: string): { readonly flow: { readonly untaken: number } } };
}

it("waits for the reader, and comes whole", async () => {
  const { connectionId, connectionToken } = await negotiate("signalr");
  const url = `https://edge.example/hubs/signalr?id=${encodeURIComponent(connectionToken)}`;
  const authorization = `Bearer ${await token("alice")}`;
  const events = { headers: { authorization, accept: "text/event-stream" } };
  const { body } = await exports.default.fetch(url, events);
  const post = async (message: object) => {
    const init = { method: "POST", body: JSON.stringify(message) + RS, headers: { authorization } };
    expect((await exports.default.fetch(url, init)).status).toBe(200);
  };
  await post({ protocol: "json", version: 1 });
  await post({ type: 4, invocationId: "1", target: "Bulk", arguments: [ITEMS, ITEM_CHARS] });
  const untaken = () =>
    runInDurableObject(relayOf("signalr", connectionId), (object) => {
      const { parts } = object as unknown as { parts: Parts };
      return parts.connections.get(connectionId).flow.untaken;
    });
  await expect.poll(untaken).toBeGreaterThan(512 * 1024);
  const waiting = await untaken();
  // The loop has turned often enough for ten times as much.
  for (let turn = 0; turn < 100; turn++) await scheduler.wait(0);
  expect(await untaken()).toBe(waiting);
  expect(waiting).toBeLessThan(1024 * 1024);

  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let items = 0;
  for (let last = ""; !last.includes('{"type":3,"invocationId":"1"}');) {
    const { value, done } = await reader.read();
    expect(done).toBe(false);
    items += value!.split('"item"').length - 1;
    last = value!;
  }
  expect(items).toBe(ITEMS);
  await reader.cancel();
});
