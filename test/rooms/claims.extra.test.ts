// Tokens whose claims fill what a connection can remember across sleep.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import type { Attached } from "../../src/rooms/connection.ts";
import { request } from "../dispatch/frames.ts";
import { enter, roomAt, token, type Client } from "./client.ts";
import { range } from "./storage.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Each takes some 900 bytes: the claim and its reading, in characters of two bytes. */
const caps = (count: number) => {
  const channel = (n: number) => `group:${n}中`.padEnd(225, "x");
  return [{ channels: range(1, count).map(channel), match: "wildcard", allow: ["sub"] }];
};

const attachedIn = (room: string): Promise<Attached[]> =>
  runInDurableObject(roomAt(room), (_, state) =>
    state
      .getWebSockets()
      .map((socket) => JSON.parse(socket.deserializeAttachment() as string) as Attached),
  );

it("a fresh token that does not fit is refused as too large, and the connection goes on with the old", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const room = "meddling/group:refreshed";
  const exp = Math.floor(Date.now() / 1000) + 600;
  using eve = await enter(room, { user: "eve", claims: { exp } });
  const before = await attachedIn(room);
  const fresh = await token("eve", { exp: exp + 36_000, role: "Admin", caps: caps(24) });
  expect((await eve.call("$/refresh", { token: fresh })).error?.data.code).toBe("too_large");
  expect(await attachedIn(room)).toEqual(before);
  vi.setSystemTime(Date.now() + 30_000);
  expect(await eve.call("trace")).toMatchObject({ result: [] });
  expect(await attachedIn(room)).toEqual([{ ...before[0]!, heardAt: Date.now() }]);
});

/** With the largest token that this room takes. */
async function filled(room: string): Promise<Client> {
  for (let count = 24; count > 8; count--) {
    const client = await enter(room, { claims: { caps: caps(count) } }).catch(() => undefined);
    if (client) return client;
  }
  throw new Error("No token fits.");
}

it("streams begin although a token leaves no room to remember them", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const room = "streams/group:filled";
  const alice = await filled(room);
  onTestFinished(() => alice[Symbol.dispose]());
  const ids = range(1, 20).map((n) => `${"i".repeat(120)}${n}`);
  for (const id of ids) alice.send(request(id, "stuck"));
  expect((await alice.call("trace")).result).toEqual([]);
  await expect.poll(() => alice.messages("$/item").length).toBe(ids.length);
  expect(alice.messages("$/item").map(({ params }) => params.id as string)).toEqual(ids);
  expect(alice.heard.filter(({ error }) => error)).toEqual([]);
  expect(await attachedIn(room)).toMatchObject([{ openCalls: [] }]);
});
