// Tokens whose claims fill what a connection can remember across sleep.

import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, onTestFinished, vi } from "vitest";
import { attachedOf, type Attached } from "../../../src/rooms/connection/attachment.ts";
import { request } from "../../dispatch/frames.ts";
import { enter, roomAt, token, type Client } from "../client.ts";
import { range } from "../storage.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Each takes some 460 bytes: the claim and its reading. */
const caps = (count: number) => {
  const channel = (n: number) => `group:${n}中`.padEnd(225, "x");
  return [{ channels: range(1, count).map(channel), match: "wildcard", allow: ["sub"] }];
};

const attachedIn = (room: string): Promise<Attached[]> =>
  runInDurableObject(roomAt(room), (_, state) =>
    state.getWebSockets().map((socket) => attachedOf(socket)!),
  );

const IDS = range(1, 20).map((n) => `${"i".repeat(120)}${n}`);

/** A connection that keeps as much as it may. */
async function filled(room: string, claims: Record<string, unknown> = {}): Promise<Client> {
  const client = await enter(room, { user: "eve", claims });
  onTestFinished(() => client[Symbol.dispose]());
  expect((await client.call("keep", ["much", "x".repeat(4_000)])).error).toBeUndefined();
  return client;
}

it("a fresh token that does not fit is refused as too large, and the connection goes on with the old", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const room = "streams/group:refreshed";
  const exp = Math.floor(Date.now() / 1000) + 600;
  const eve = await filled(room, { exp });
  for (const id of IDS) eve.send(request(id, "stuck"));
  await expect.poll(() => eve.messages("$/item").length).toBe(IDS.length);
  const before = await attachedIn(room);
  const fresh = await token("eve", { exp: exp + 36_000, role: "Admin", caps: caps(24) });
  expect((await eve.call("$/refresh", { token: fresh })).error?.data.code).toBe("too_large");
  expect(await attachedIn(room)).toEqual(before);
  vi.setSystemTime(Date.now() + 30_000);
  expect(await eve.call("trace")).toMatchObject({ result: [] });
  expect(await attachedIn(room)).toEqual([{ ...before[0]!, heardAt: Date.now() }]);
});

it("streams begin although a token leaves no room to remember them", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const room = "streams/group:filled";
  const alice = await filled(room, { caps: caps(24) });
  for (const id of IDS) alice.send(request(id, "stuck"));
  expect((await alice.call("trace")).result).toEqual([]);
  await expect.poll(() => alice.messages("$/item").length).toBe(IDS.length);
  expect(alice.messages("$/item").map(({ params }) => params.id as string)).toEqual(IDS);
  expect(alice.heard.filter(({ error }) => error)).toEqual([]);
  expect(await attachedIn(room)).toMatchObject([{ openCalls: [] }]);
});
