// Clients that make an object hold memory: items nobody reads, calls that wait, parts of messages. The hub `tight`
// holds 20 kB for a connection, 30 kB for a user.

import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { enter, roomAt, type Client } from "../../rooms/client.ts";
import { connected, negotiate, open, relayOf, type SignalR } from "../../rooms/relay/client.ts";
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

it("counts the rooms that were replayed to a client, until it is gone", async () => {
  const room = "tight/group:replays";
  const mallory = await enter(room, { user: "mallory" });
  using bob = await enter(room, { user: "bob" });
  const name = `group:${"x".repeat(100)}`;
  const { epoch } = (await roomAt(`tight/${name}1`).info()).position;
  for (const n of range(1, 5)) {
    const params = { room: `${name}${n}`, since: `${epoch}:0` };
    expect((await mallory.call("$/join", params)).error).toBeUndefined();
    await mallory.call("$/leave", { room: `${name}${n}` });
  }
  expect(await heldIn(room)).toBeGreaterThan(5 * 100);
  mallory.socket.close(1000);
  await mallory.closed;
  await expect.poll(() => heldIn(room)).toBe(0);
  expect((await bob.call("trace")).error).toBeUndefined();
});

describe("a message of a SignalR client that comes in parts", () => {
  const part = (bytes: number) => `{"type":1,"target":"Note","arguments":["${"x".repeat(bytes)}`;
  const heldAt = (id: string) =>
    runInDurableObject(
      relayOf("tight", id),
      (one) => (one as unknown as Parts).parts.connections.held.held,
    );

  it("is counted until its end has come, and ends the connection where it is too much", async () => {
    const all = [];
    for (let n = 0; n < 3; n++) all.push(await connected("tight", { user: "parts" }));
    const [one, two, three] = all as [SignalR, SignalR, SignalR];
    for (const client of [one, two]) client.socket.send(part(10_000));
    await expect.poll(() => heldAt(one.id)).toBeGreaterThan(20_000);
    three.socket.send(part(10_000));
    expect(await three.record(({ type }) => type === 7)).toMatchObject({ allowReconnect: true });
    for (const client of [one, two]) {
      client.socket.send('"]}\u001e');
      expect((await client.call("Trace")).error).toBeUndefined();
    }
    expect(await heldAt(one.id)).toBe(0);
    for (const client of all) client[Symbol.dispose]();
  });

  it("is counted before the handshake, and given back with its connection", async () => {
    const all = [];
    for (let n = 0; n < 2; n++) {
      const negotiated = await negotiate("tight", { user: "slowly" });
      const { webSocket } = await open("tight", negotiated.connectionToken, { user: "slowly" });
      all.push({ ...negotiated, socket: webSocket! });
      webSocket!.accept();
      webSocket!.send(" ".repeat(14_000));
    }
    const [{ connectionId }] = all as [(typeof all)[0]];
    await expect.poll(() => heldAt(connectionId)).toBe(28_000);
    for (const { socket } of all) socket.close(1000);
    await expect.poll(() => heldAt(connectionId)).toBe(0);
  });

  it("holds as much, while its call waits, as one that came whole", async () => {
    using mallory = await connected("tight", { user: "halves" });
    using bob = await connected("tight", { user: "bob" });
    mallory.say({ type: 1, invocationId: "h", target: "Hold", arguments: ["halves"] });
    for (let n = 0; n < 5; n++) {
      mallory.socket.send(part(3_000));
      mallory.socket.send('"]}\u001e');
    }
    await expect.poll(() => heldAt(mallory.id)).toBeGreaterThan(15_000);
    await bob.call("Release", "halves");
    await mallory.record(({ invocationId }) => invocationId === "h");
  });
});
