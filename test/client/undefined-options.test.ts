// Options that an application has, and that are undefined: as if they were absent.

import { expect, it, onTestFinished, vi } from "vitest";
import { backend } from "../../src/client/backend/index.ts";
import type { ConnectOptions } from "../../src/client/index.ts";
import { events } from "../../src/client/index.ts";
import { endpoint, pausesAreOver, URL_OF_HUB } from "./backend/endpoint.ts";
import type { OrderHub } from "./backend/endpoint.ts";
import type { TestHub } from "./hubs.ts";
import { advance, connectedClient, connectingClient, HALF, outcomeOf } from "./server.ts";

const NONE: Partial<ConnectOptions<TestHub>> = {
  ...{ token: undefined, handlers: undefined, queue: undefined, maxRetries: undefined },
  ...{ backoff: undefined, tokenSeconds: undefined, messageBytes: undefined, since: undefined },
};

it("connect has its defaults: the size of messages, a guest, the queue", async () => {
  const { server, client } = await connectingClient<TestHub>(NONE);
  expect(server.socket.query).toEqual({ access_token: "" });
  const waiting = Array.from({ length: 100 }, () => outcomeOf(client.invoke.add(1)));
  expect(await outcomeOf(client.invoke.add(1))).toEqual({ code: "queue_full" });
  server.socket.greet();
  await advance();
  expect(server.socket.sentMessages).toHaveLength(waiting.length);
  expect(await outcomeOf(client.invoke.say("x".repeat(40_000)))).toEqual({ code: "too_large" });
});

it("connect waits for a token function", async () => {
  const token = () => new Promise<string>((resolve) => void setTimeout(resolve, 29_000, "late"));
  const { server } = await connectingClient<TestHub>({ ...NONE, token });
  await advance(29_000);
  expect(server.socket.query).toEqual({ access_token: "late" });
});

it("connect pauses between its attempts", async () => {
  const backoff = { baseMs: undefined, capMs: undefined, random: () => HALF };
  const options = { backoff } as unknown as Partial<ConnectOptions<TestHub>>;
  const { server } = await connectingClient<TestHub>(options);
  server.socket.end();
  await advance(400);
  expect(server.sockets).toHaveLength(1);
  await advance(100);
  expect(server.sockets).toHaveLength(2);
});

it("a handler that is undefined is none", async () => {
  const complaints = vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => complaints.mockRestore());
  const { server, client } = await connectedClient<TestHub>({
    handlers: { said: undefined, confirm: undefined },
  });
  server.socket.deliver({ method: "said", params: ["bob", "hello"] });
  server.socket.deliver({ id: 1, method: "confirm", params: ["?"] });
  await advance();
  expect(complaints).not.toHaveBeenCalled();
  client.on("confirm", () => true);
  server.socket.deliver({ id: 2, method: "confirm", params: ["?"] });
  await advance();
  expect(server.socket.sentMessages).toMatchObject([
    { id: 1, error: { code: -32601 } },
    { id: 2, result: true },
  ]);
});

it("events asks by the platform's fetch", async () => {
  const fetch = vi
    .spyOn(globalThis, "fetch")
    .mockResolvedValue(new Response(null, { status: 404 }));
  onTestFinished(() => fetch.mockRestore());
  const none = { fetch: undefined, backoff: undefined, signal: undefined, since: undefined };
  const [event] = [events<TestHub>("https://host/hubs/test", { room: "group:lobby", ...none })];
  const first = event[Symbol.asyncIterator]().next();
  expect(await outcomeOf(first)).toEqual({ code: "disconnected" });
  expect(fetch).toHaveBeenCalledOnce();
});

it("backend pauses between its attempts", async () => {
  const pauses = pausesAreOver();
  onTestFinished(() => void vi.restoreAllMocks());
  const backoff = { baseMs: undefined, capMs: undefined } as never;
  const fetcher = endpoint(503, 200);
  const orders = backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher, backoff });
  await orders.group("lobby").add("c1");
  expect(pauses).toEqual([125]);
});
