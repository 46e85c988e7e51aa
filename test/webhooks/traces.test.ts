// A trace context on its way: from a request through relay and room to receivers of webhooks.

import { beforeEach, expect, it } from "vitest";
import { ask, receiver, set, upgrading, withConnectWebhook } from "./connect-fixture.ts";

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SERVICE = { role: "service" };

withConnectWebhook();
beforeEach(() => {
  set({ WEBHOOK_URL: receiver.urls.events, WEBHOOK_EVENTS: "connected,message" });
});

interface Traced {
  readonly type: string;
  readonly traceparent?: string;
}

/** What each event of a room or connection says of its trace, in the order of arrival. */
async function told(count: number): Promise<(string | undefined)[][]> {
  const events = () =>
    (receiver.taken as unknown as Traced[]).filter(({ type }) => type !== "dormouse.connect");
  await receiver.until(() => events().length >= count);
  return events().map((one) => [one.type, one.traceparent]);
}

const call = (room: string) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method: "sendToRoom", params: [room, "hello"] });

it("of a room's socket is in its events, in those of its calls, and asked with", async () => {
  const headers = { ...(upgrading.headers as object), traceparent: TRACE };
  const { webSocket } = await ask("/hubs/chat/groups/traced", { headers });
  webSocket!.accept();
  webSocket!.send(call("traced"));
  const [asked] = receiver.requests;
  expect(asked!.headers["traceparent"]).toBe(TRACE);
  expect(asked!.events).toMatchObject([{ type: "dormouse.connect", traceparent: TRACE }]);
  // The announcement of the user, and the message.
  expect((await told(3)).toSorted()).toEqual([
    ["dormouse.connected", TRACE],
    ["dormouse.message", TRACE],
    ["dormouse.message", TRACE],
  ]);
});

it("of a call over HTTP passes its relay and reaches the room", async () => {
  set({ WEBHOOK_CONNECT_URL: "" });
  const headers = { "content-type": "application/json", traceparent: TRACE };
  await ask("/hubs/chat/rpc", { method: "POST", body: call("by-http"), headers });
  expect(await told(1)).toEqual([["dormouse.message", TRACE]]);
});

it("of a service's request is that of its message", async () => {
  set({ WEBHOOK_CONNECT_URL: "" });
  const headers = { "content-type": "application/json", traceparent: TRACE };
  const body = JSON.stringify({ target: "receiveMessage", arguments: ["shop", "hi"] });
  const path = "/api/hubs/chat/rooms/group:by-service/:publish";
  await ask(path, { method: "POST", body, headers }, SERVICE);
  expect(await told(1)).toEqual([["dormouse.message", TRACE]]);
});

it.each([
  ["of another version", TRACE.replace("00-", "01-")],
  ["of zeros", `00-${"0".repeat(32)}-00f067aa0ba902b7-01`],
  ["in capitals", TRACE.toUpperCase()],
  ["that is longer", `${TRACE}-more`],
  ["that is text", 'x","evil":"'],
])("%s goes nowhere", async (kind, traceparent) => {
  set({ WEBHOOK_CONNECT_URL: "" });
  const headers = { "content-type": "application/json", traceparent };
  await ask("/hubs/chat/rpc", { method: "POST", body: call(kind), headers });
  expect(await told(1)).toEqual([["dormouse.message", undefined]]);
});
