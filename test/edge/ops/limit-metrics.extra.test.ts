// The columns "error" and "metric" of docs/limits.md, held to an object: each limit is hit, and what its client gets
// and its object counts is what the row says.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, afterEach, expect, it, vi } from "vitest";
import type { RoomParts } from "../../../src/rooms/room/room-parts.ts";
import { type Client, enter, roomAt, token, upgrade } from "../../rooms/client.ts";

const [LIMITS = ""] = Object.values(
  import.meta.glob("../../../docs/limits.md", { eager: true, query: "?raw", import: "default" }),
);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const rowOf = (limit: string): readonly string[] =>
  LIMITS.split("\n")
    .find((line) => line.startsWith(`| \`${limit}\` |`))!
    .split("|")
    .map((cell) => cell.trim());

/** What was refused by the room's object, by code. */
const refusedBy = (room: string): Promise<Map<string, number>> =>
  runInDurableObject(roomAt(room), (object) => {
    const { activity } = (object as unknown as { parts: RoomParts }).parts;
    return new Map(activity.counters.refusals);
  });

const code = async (answer: Promise<{ error?: { data: { code: string } } }>) =>
  (await answer).error!.data.code;

/** A frame that is not read far enough to know its call: answered without an id. */
async function unread(client: Client, arg: unknown): Promise<string> {
  client.send({ jsonrpc: "2.0", id: 1, method: "echo", params: [arg] });
  return (await client.next(({ error }) => error !== undefined)).error!.data.code;
}

/** Calls until one is refused: its code. */
async function untilRefused(client: Client, method: string, params: unknown = []): Promise<string> {
  for (let n = 0; n < 1_000; n++) {
    const { error } = await client.call(method, params);
    if (error) return error.data.code;
  }
  return "never";
}

const flooded = async (client: Client, frame: unknown, times: number) => {
  for (let n = 0; n < times; n++) client.send(frame);
  return (await client.closed).code;
};

const callOf = (method: string) => ({ jsonrpc: "2.0", method, params: [] });
const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
const noise = { jsonrpc: "2.0", method: "$/nothing" };

/** Hits the limit on a connection of this room; gives the code, or the close code. */
const HIT: readonly (readonly [
  limit: string,
  hub: string,
  hit: (client: Client, room: string) => Promise<unknown>,
])[] = [
  ["messageBytes", "ask", (client) => unread(client, "x".repeat(40_000))],
  ["depth", "ask", (client) => unread(client, nested(70))],
  [
    "messagesPerFrame",
    "ask",
    async (client) => {
      client.send(Array.from({ length: 101 }, (_, id) => ({ jsonrpc: "2.0", id, method: "echo" })));
      return (await client.next(({ error }) => error !== undefined)).error!.data.code;
    },
  ],
  [
    "streamsPerConnection",
    "streams",
    async (client) => {
      for (let n = 0; n < 20; n++) client.send({ ...callOf("stuck"), id: `s${n}` });
      client.send({ ...callOf("stuck"), id: "last" });
      return code(client.response("last"));
    },
  ],
  [
    "queuedCalls",
    "relayed",
    async (client) => {
      for (let n = 0; n < 101; n++) client.send({ ...callOf("forever"), id: `w${n}` });
      client.send({ ...callOf("whoami"), id: "last" });
      return code(client.response("last"));
    },
  ],
  ["answerSeconds", "ask", (client) => code(client.call("askMe", ["?"]))],
  ["messageBurst", "pinched", (client) => flooded(client, noise, 100)],
  ["bytesBurst", "pinched", (client) => flooded(client, "x".repeat(20_000), 10)],
  ["callBurst", "pinched", (client) => untilRefused(client, "whoami")],
  ["historyBurst", "pinched", (client) => untilRefused(client, "$/presence")],
  ["malformedInARow", "ask", (client) => flooded(client, "{", 12)],
  ["trackBytes", "pinched", (client) => code(client.call("$/track", { state: "x".repeat(2_000) }))],
  [
    "groupsPerConnection",
    "pinched",
    async (client) => {
      for (let n = 0; n < 5; n++) await client.call("join", [`g${n}`]);
      return code(client.call("join", ["g5"]));
    },
  ],
  [
    "connectionsPerUser",
    "ask",
    async (_client, room) => {
      const path = `/parties/${room}?access_token=${await token("limited")}`;
      for (let n = 0; n < 60; n++) {
        const response = await upgrade(path);
        if (!response.webSocket) return response.headers.get("x-dormouse-error");
        response.webSocket.accept();
      }
      return "never";
    },
  ],
  [
    "connectBurst",
    "hurried",
    async (_client, room) => {
      const path = `/parties/${room}?access_token=${await token("limited")}`;
      for (let n = 0; n < 10; n++) {
        const response = await upgrade(path);
        if (!response.webSocket) return response.headers.get("x-dormouse-error");
        response.webSocket.accept();
      }
      return "never";
    },
  ],
  [
    "recovery",
    "ask",
    async (_client, room) => {
      using lost = await enter(room, { user: "lost", since: "nowhere:1" });
      return `recovered: ${lost.hello.params.recovered}`;
    },
  ],
];

it.each(HIT)("%s", async (limit, hub, hit) => {
  const [, , , , error, metric] = rowOf(limit);
  const room = `${hub}/group:limit-${limit.toLowerCase()}`;
  using client = await enter(room, { user: "limited" });
  const before = await refusedBy(room);
  const got = await hit(client, room);
  expect(error).toContain(`${got}`);
  const after = await refusedBy(room);
  const counted = [...after].filter(([name, count]) => count > (before.get(name) ?? 0));
  expect(counted.map(([name]) => `\`${name}\``)).toContain(metric);
});
