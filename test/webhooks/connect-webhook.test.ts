// The webhook before a connection: called for every way to connect, and for none to resume.

import { describe, expect, it } from "vitest";
import {
  set,
  granting,
  answering,
  STAFF,
  ask,
  call,
  upgrading,
  receiver,
  withConnectWebhook,
} from "./connect-fixture.ts";

withConnectWebhook();

type Way = (hub: string, claims?: object) => Promise<Response>;
const WAYS: [string, Way][] = [
  ["a room's socket", (hub, claims) => ask(`/hubs/${hub}/groups/way`, upgrading, claims)],
  ["partysocket's address", (hub, claims) => ask(`/parties/${hub}/group:way`, upgrading, claims)],
  [
    "a stream of events",
    (hub, claims) =>
      ask(`/hubs/${hub}/groups/way`, { headers: { accept: "text/event-stream" } }, claims),
  ],
  ["JSON-RPC for the hub", (hub, claims) => ask(`/hubs/${hub}/rpc`, upgrading, claims)],
  [
    "JSON-RPC over HTTP",
    (hub, claims) => {
      const headers = { "content-type": "application/json" };
      return ask(`/hubs/${hub}/rpc`, { method: "POST", body: call, headers }, claims);
    },
  ],
  [
    "SignalR's negotiation",
    (hub, claims) => ask(`/hubs/${hub}/negotiate?negotiateVersion=1`, { method: "POST" }, claims),
  ],
  ["SignalR without negotiation", (hub, claims) => ask(`/hubs/${hub}`, upgrading, claims)],
];

describe.each(WAYS)("who connects by %s", (_, connect) => {
  it("is admitted as they are by 204, and asked about once", async () => {
    const { status } = await connect("chat");
    expect([101, 200]).toContain(status);
    expect(receiver.requests).toHaveLength(1);
    expect(receiver.requests[0]!.events).toMatchObject([
      {
        ...{ specversion: "1.0", type: "dormouse.connect", source: "/hubs/chat" },
        ...{ tenant: "default", data: { userId: "alice", claims: { sub: "alice" } } },
      },
    ]);
    expect(receiver.requests[0]!.headers["webhook-id"]).toBe(receiver.requests[0]!.events[0]!.id);
  });

  it.each([401, 403])("is refused by %i", async (refusal) => {
    receiver.answer = answering(refusal);
    const { status, headers } = await connect("chat");
    expect([status, headers.get("x-dormouse-error")]).toEqual([403, "refused_by_webhook"]);
  });

  it("is told to come again where there is no answer", async () => {
    receiver.answer = answering(500);
    const { status, headers } = await connect("chat");
    // An EventSource reconnects only after a stream that ended.
    expect(status).toBe(headers.get("content-type")?.startsWith("text/event-stream") ? 200 : 503);
    expect(headers.get("x-dormouse-error")).toBe("webhook_unavailable");
  });

  it("is let in by claims that the token lacks, and not without them", async () => {
    receiver.answer = answering(204);
    expect((await connect("admin")).status).toBe(403);
    receiver.answer = granting(STAFF);
    expect([101, 200]).toContain((await connect("admin")).status);
  });

  it("is not asked about where the token, the hub or the name is wrong", async () => {
    expect((await connect("chat", { exp: 1 })).status).toBe(401);
    expect((await connect("nowhere")).status).toBe(404);
    expect(receiver.fetched).toEqual([]);
  });

  it("is refused where webhooks are misconfigured", async () => {
    set({ WEBHOOK_SECRET: "short" });
    const { status, headers } = await connect("chat");
    expect([status, headers.get("x-dormouse-error")]).toEqual([500, "misconfigured"]);
    expect(receiver.fetched).toEqual([]);
  });
});
