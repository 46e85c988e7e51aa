// Objects with a method for every name: which names are left to code that looks for them in any object.

import { expect, it, vi } from "vitest";
import { callProxy } from "../../src/model/audiences.ts";
import type { TestHub } from "../client/hubs.ts";
import { advance, connectedClient } from "../client/server.ts";

it("are values for await, JSON and logs", async () => {
  const call = vi.fn<(name: string, args: unknown[]) => Promise<unknown>>(async () => 1);
  const proxy = callProxy<Record<string, (...args: unknown[]) => unknown>>(call);
  expect(await Promise.resolve(proxy)).toBe(proxy);
  expect(JSON.stringify({ proxy })).toBe('{"proxy":{}}');
  expect(call).not.toHaveBeenCalled();
  expect(await proxy["toString"]!("a")).toBe(1);
  expect(call.mock.calls).toEqual([["toString", ["a"]]]);
});

it("are no plain objects, of which Svelte's $state makes proxies without methods", () => {
  expect(Object.getPrototypeOf(callProxy(() => 1))).toBeNull();
});

it("a connection in a line of a log calls nothing", async () => {
  const { server, client } = await connectedClient<TestHub>();
  expect(JSON.parse(JSON.stringify({ client }))).toMatchObject({
    client: { state: { status: "connected" }, position: "e:10" },
  });
  await advance();
  expect(server.socket.sentMessages).toEqual([]);
});
