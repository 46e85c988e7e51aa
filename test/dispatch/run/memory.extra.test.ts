// Clients that make an object hold memory: items nobody reads, calls that wait. The hub `tight` holds 20 kB for a
// connection, 30 kB for a user.

import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { enter, roomAt, type Client } from "../../rooms/client.ts";
import { range } from "../../rooms/storage.ts";
import { end, item } from "../frames.ts";

interface Parts {
  readonly parts: { readonly connections: { readonly held: { readonly held: number } } };
}

const heldIn = (room: string) =>
  runInDurableObject(roomAt(room), (one) => (one as unknown as Parts).parts.connections.held.held);

/** Items for a method that waits for its gate; four of 4 kB fit. */
function upload(client: Client, gate: string, items: number): Promise<string | undefined> {
  const done = client.call("sumLate", [gate, { $stream: "s" }]);
  for (let n = 0; n < items; n++) client.send(item("s", "x".repeat(4_000)));
  client.send(end("s"));
  return done.then(({ error }) => error?.data.code);
}

it("ends an upload that nobody reads with busy, and serves others meanwhile", async () => {
  const room = "tight/group:uploads";
  using mallory = await enter(room, { user: "mallory" });
  using again = await enter(room, { user: "mallory" });
  using bob = await enter(room, { user: "bob" });
  const attacks = [upload(mallory, "g", 8), upload(again, "g", 8)];
  await Promise.all([mallory.call("trace"), again.call("trace")]);
  expect(await heldIn(room)).toBeLessThanOrEqual(30_000);
  expect(await heldIn(room)).toBeGreaterThan(20_000);
  expect((await bob.call("keep", ["a", "x".repeat(10_000)])).error?.data.code).not.toBe("busy");
  expect((await again.call("keep", ["a", "x".repeat(9_000)])).error?.data.code).toBe("busy");
  await bob.call("release", ["g"]);
  // Items are no numbers: the first one fails, and all that is held is given back.
  expect(await Promise.all(attacks)).toEqual(["invalid_item", "invalid_item"]);
  expect(await heldIn(room)).toBe(0);
});

it("refuses calls that wait with busy, and takes them again once those before are served", async () => {
  const room = "tight/group:calls";
  using mallory = await enter(room, { user: "mallory" });
  using bob = await enter(room, { user: "bob" });
  const held = mallory.call("hold", ["g"]);
  const text = "x".repeat(3_000);
  const calls = range(1, 10).map(() => mallory.call("note", [text]));
  const refused = await calls[9]!;
  expect(refused.error).toMatchObject({ code: -32000, data: { code: "busy" } });
  expect((await bob.call("note", [text])).error).toBeUndefined();
  await bob.call("release", ["g"]);
  await held;
  const codes = (await Promise.all(calls)).map(({ error }) => error?.data.code);
  expect(codes.filter((code) => code === undefined)).toHaveLength(6);
  expect((await mallory.call("note", [text])).error).toBeUndefined();
  expect(await heldIn(room)).toBe(0);
});

it("counts parsed JSON nine times, and gives all back when a client is gone", async () => {
  const room = "tight/group:parsed";
  const mallory = await enter(room, { user: "mallory" });
  using bob = await enter(room, { user: "bob" });
  void mallory.call("hold", ["g"]);
  const value = Array.from({ length: 1_000 }, () => 1);
  const codes = range(1, 3).map(() => mallory.call("keep", ["a", value]));
  expect((await codes[2]!).error?.data.code).toBe("busy");
  expect(await heldIn(room)).toBeGreaterThan(15_000);
  mallory.socket.close(1000);
  await mallory.closed;
  await bob.call("release", ["g"]);
  await expect.poll(() => heldIn(room)).toBe(0);
});
