// How often: services by key, clients by user and address. Bindings are stood in for; the buckets are ours.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ServiceRates } from "../../../src/edge/rest/service-rate.ts";
import endpoint from "../../support/worker.ts";
import { runtimeFeed } from "../../support/runtime-hub.ts";
import { token } from "../../rooms/client.ts";
import { Receiver, SECRET } from "../../webhooks/receiver.ts";
import { ORIGIN, serviceToken } from "./service.ts";

/** Lets each key pass so many times. */
function limiter(times: number) {
  const left = new Map<string, number>();
  return {
    keys: left,
    async limit({ key }: { key: string }) {
      const rest = (left.get(key) ?? times) - 1;
      left.set(key, rest);
      return { success: rest >= 0 };
    },
  };
}

describe("clients", () => {
  const ways = {
    socket: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed/groups/r?${query}`, {
        headers: { upgrade: "websocket" },
      }),
    events: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed/groups/r?${query}`, {
        headers: { accept: "text/event-stream" },
      }),
    feed: (query: string) => new Request(`${ORIGIN}/updates/42?${query}`),
    rpc: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed/rpc?${query}`, { headers: { upgrade: "websocket" } }),
    negotiate: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed/negotiate?negotiateVersion=1&${query}`, {
        method: "POST",
      }),
    call: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed/rpc?${query}`, {
        ...{ method: "POST", headers: { "content-type": "application/json" } },
        body: '{"jsonrpc":"2.0","id":1,"method":"$/presence","params":{"room":"group:a"}}',
      }),
    gRPC: (query: string) =>
      new Request(`${ORIGIN}/dormouse.v1.Hub/Publish`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${new URLSearchParams(query).get("access_token")}`,
        },
        body: '{"hub":"relayed","topic":"group:a","target":"said"}',
      }),
    signalR: (query: string) =>
      new Request(`${ORIGIN}/hubs/relayed?${query}`, { headers: { upgrade: "websocket" } }),
  };

  it.each(Object.entries(ways))(
    "are counted by user and by address: %s",
    async (way, requestOf) => {
      const CONNECT_LIMITER = limiter(2);
      const pauses = new Set<string | null>();
      const webhook = new Receiver();
      onTestFinished(() => void vi.unstubAllGlobals());
      const asking = { WEBHOOK_CONNECT_URL: webhook.urls.connect, WEBHOOK_SECRET: SECRET };
      const connect = async (user: string, address: string) => {
        const request = requestOf(`access_token=${await token(user)}`);
        request.headers.set("cf-connecting-ip", address);
        const response = await endpoint.fetch(request, { ...env, ...asking, CONNECT_LIMITER });
        response.webSocket?.accept();
        response.webSocket?.close();
        // To an EventSource a refusal that will be over is a stream that ends.
        const hasEnded = response.headers.get("x-dormouse-error") === "rate_limited";
        pauses.add(response.headers.get("retry-after"));
        // gRPC has no header for the code.
        return hasEnded || response.status === 429 ? "rate_limited" : null;
      };
      expect(await connect("ann", "192.0.2.1")).toBe(null);
      expect(await connect("ann", "192.0.2.2")).toBe(null);
      expect(await connect("ann", "192.0.2.3")).toBe("rate_limited");
      expect(await connect("bob", "192.0.2.1")).toBe(null);
      expect(await connect("carl", "192.0.2.1")).toBe("rate_limited");
      expect([...pauses]).toEqual(way === "events" ? [null] : [null, "10"]);
      expect([...CONNECT_LIMITER.keys.keys()]).toContain('["default","ann"]');
      const asked = webhook.requests.map(({ events: [event] }) => event!.data.userId);
      expect(asked, "of whom the webhook was asked").toEqual(["ann", "ann", "bob"]);
    },
  );
});

it("a feed does not run its `room` for a client that is refused", async () => {
  const roomOf = vi.spyOn(runtimeFeed, "roomOf").mockReturnValue("group:street");
  onTestFinished(() => roomOf.mockRestore());
  const url = `${ORIGIN}/runtime/street?access_token=${await token("ann")}`;
  const statuses: number[] = [];
  const CONNECT_LIMITER = limiter(1);
  for (let n = 0; n < 2; n++) {
    const context = createExecutionContext();
    const response = await endpoint.fetch(new Request(url), { ...env, CONNECT_LIMITER }, context);
    statuses.push(response.status);
    await response.body?.cancel();
  }
  expect([statuses, roomOf.mock.calls.length]).toEqual([[200, 429], 1]);
});

it("an EventSource that is refused comes back no sooner than it may", async () => {
  const CONNECT_LIMITER = limiter(0);
  const url = `${ORIGIN}/hubs/relayed/groups/r?access_token=${await token("ann")}`;
  const request = new Request(url, { headers: { accept: "text/event-stream" } });
  const text = await (await endpoint.fetch(request, { ...env, CONNECT_LIMITER })).text();
  const [, ms] = /^retry: (\d+)\n: rate_limited\n$/.exec(text)!;
  expect(Number(ms)).toBeGreaterThanOrEqual(10_000);
});

describe("a service", () => {
  const call = async (name: string, more: object) => {
    const authorization = `Bearer ${await serviceToken({ sub: name })}`;
    const request = new Request(`${ORIGIN}/api/hubs/chat/rooms/all/presence_stats`, {
      headers: { authorization },
    });
    return endpoint.fetch(request, { ...env, ...more });
  };

  it("is told when it may ask again, by a binding", async () => {
    const REST_LIMITER = limiter(1);
    expect((await call("a", { REST_LIMITER })).status).toBe(200);
    const refused = await call("a", { REST_LIMITER });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(await refused.json()).toMatchObject({ code: "rate_limited" });
  });

  it("has a bucket of its own in each isolate, which fills again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const service = { tenant: "default", name: "bucket" };
    const limits = { REST_PER_SECOND: "2" };
    const rates = new ServiceRates();
    const outcomes = async (count: number) =>
      (
        await Promise.allSettled(Array.from({ length: count }, () => rates.check(service, limits)))
      ).filter(({ status }) => status === "fulfilled").length;
    expect(await outcomes(6)).toBe(4);
    vi.setSystemTime(Date.now() + 1_000);
    expect(await outcomes(6)).toBe(2);
    expect(await rates.check({ ...service, tenant: "other" }, limits)).toBe(undefined);
    const seldom = () => rates.check({ ...service, tenant: "third" }, { REST_PER_SECOND: "0.3" });
    await seldom();
    await expect(seldom()).rejects.toMatchObject({ code: "rate_limited", retryAfter: 4 });
    vi.useRealTimers();
  });
});
