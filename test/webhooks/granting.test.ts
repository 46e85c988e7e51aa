// What the webhook that is asked before a client connects is told of rooms, and what of its answer counts: lifetimes and
// limits.

import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { EndpointEnv } from "../../src/server.ts";
import { connected } from "../relays/client.ts";
import { Client, token, upgrade, type Frame } from "../rooms/client.ts";
import { Receiver, SECRET, type Answer } from "./receiver.ts";

let receiver: Receiver;
const set = (changes: Partial<EndpointEnv>) => Object.assign(env, changes);
beforeEach(() => {
  receiver = new Receiver();
  set({ WEBHOOK_CONNECT_URL: receiver.urls.connect, WEBHOOK_SECRET: SECRET });
  for (const level of ["warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  set({ WEBHOOK_CONNECT_URL: "", WEBHOOK_SECRET: "" });
  vi.restoreAllMocks();
});

const granting =
  (claims: object): Answer =>
  () =>
    Response.json({ claims });
const ask = async (path: string, init: RequestInit = {}) => {
  const authorization = `Bearer ${await token("alice")}`;
  return exports.default.fetch(`https://edge.example${path}`, {
    ...init,
    headers: { ...init.headers, authorization },
  });
};
const upgrading = { headers: { upgrade: "websocket" } };

async function inRoom(room: string, claims = {}): Promise<Client> {
  const response = await upgrade(`/parties/${room}?access_token=${await token("alice", claims)}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status}`);
  const client = new Client(response.webSocket);
  client.hello = await client.said("$/connected");
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}
const codeOf = ({ error }: Frame) => error?.data.code;

describe("the question", () => {
  it("has every room of a stream, however its client asks for them", async () => {
    receiver.answer = () => new Response(null, { status: 403 });
    const [a, b] = ["group:s1", "group:s2"];
    const stream = { headers: { accept: "text/event-stream", "x-much": "x".repeat(3_000) } };
    const filling = "x".repeat(1_000);
    for (const query of [
      `rooms=${b}`,
      `rooms=${b}&rooms=`,
      `room=${b}&room=${a}`,
      `rooms=${b},${a},${encodeURIComponent(`group:${"y".repeat(120)}`)}&filling=${filling}`,
    ])
      await ask(`/hubs/chat/groups/s1?${query}`, stream);
    const told = receiver.requests.map(({ events: [event] }) => event!.data.rooms);
    expect(told).toEqual([
      [a, b],
      [a, b],
      [a, b],
      [a, b, `group:${"y".repeat(120)}`],
    ]);
    await ask(`/hubs/chat/groups/s1?rooms=${b}`, upgrading);
    expect(receiver.requests.at(-1)!.events[0]!.data).not.toHaveProperty("rooms");
  });
});

describe("the answer", () => {
  it("says no longer a lifetime to SignalR's clients than there is", async () => {
    const now = Math.floor(Date.now() / 1000);
    const seconds = async (exp: number) => {
      receiver.answer = granting({ exp: now + exp });
      const answer = await ask("/hubs/chat/negotiate?negotiateVersion=1", { method: "POST" });
      return (await answer.json<{ tokenLifetimeSeconds: number }>()).tokenLifetimeSeconds;
    };
    expect(await seconds(7_200)).toBeLessThanOrEqual(3_600);
    expect(await seconds(100)).toBeLessThanOrEqual(100);
    using alice = await connected("chat");
    const path = `/hubs/chat/refresh?id=${encodeURIComponent(alice.token)}`;
    const { tokenLifetimeSeconds } = await (
      await ask(path, { method: "POST" })
    ).json<{ tokenLifetimeSeconds: number }>();
    expect(tokenLifetimeSeconds).toBeLessThanOrEqual(100);
  });

  it("may lower limits, and is refused where it does not understand them", async () => {
    receiver.answer = granting({ limits: { callsPerSecond: 1, callBurst: 2 } });
    const client = await inRoom("chat/group:limited");
    const codes = [1, 2, 3].map(async () => codeOf(await client.call("$/history")));
    expect(await Promise.all(codes)).toEqual([undefined, undefined, "rate_limited"]);
    receiver.answer = granting({ limits: { callsPerSecond: 0 } });
    await expect(inRoom("chat/group:limited")).rejects.toThrow("503");
  });
});
