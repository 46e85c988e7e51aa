// Bytes that no honest client sends. Whatever becomes of their connection, the engine lives, a bystander in the same
// room stays connected, and its messages all arrive.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEndpoint, type DevEndpoint } from "../support/endpoint.ts";
import { Ledger } from "../support/ledger.ts";
import { chance, type Chance } from "../support/seed.ts";
import { enter, eventually, type Client } from "./client.ts";
import { barrier, pause, Publisher, Subscriber } from "./load.ts";
import { closing, rawFrame, upgraded, upgradeText, wire } from "./wire.ts";

const ROOM = "group:target";

let endpoint: DevEndpoint;
let ledger: Ledger;
let bystanders: Subscriber[];
let publisher: Publisher;
let connectedAtFirst: (Client | undefined)[];

/** One bystander among the attackers, one in a room whose messages come from there. */
beforeAll(async () => {
  endpoint = await startEndpoint();
  ledger = new Ledger();
  const load = { endpoint, ledger, room: ROOM };
  bystanders = [new Subscriber("near", load), new Subscriber("far", load, "group:far")];
  publisher = new Publisher("publisher", ROOM, load);
  await Promise.all(bystanders.map((one) => one.enter()));
  publisher.start(25);
  await eventually(async () => publisher.client !== undefined, "the publisher is there");
  connectedAtFirst = [...bystanders.map(({ client }) => client), publisher.client];
});

afterAll(async () => {
  for (const one of [...bystanders, publisher]) one[Symbol.dispose]();
  await endpoint[Symbol.asyncDispose]();
});

/** The next message after now reaches everybody: the attack had its effect before, if it had one. */
async function isUnharmed(): Promise<void> {
  const { sent } = ledger.totals;
  await eventually(async () => ledger.totals.acked > sent, "the publisher is answered");
  using newcomer = await enter(endpoint, `chat/${ROOM}`, { user: "newcomer" });
  expect(newcomer.hello.params).toMatchObject({ userId: "newcomer" });
}

const call = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

describe("frames against RFC 6455", () => {
  it.each<[what: string, bytes: Buffer]>([
    ["an unmasked frame", rawFrame({ payload: call("$/presence", {}), masked: false })],
    ["every reserved bit", rawFrame({ first: 0xf1, payload: "{}" })],
    ["opcode 3", rawFrame({ first: 0x83, payload: "x" })],
    ["opcode 15", rawFrame({ first: 0x8f, payload: "x" })],
    ["a ping of 126 bytes", rawFrame({ first: 0x89, payload: Buffer.alloc(126) })],
    ["a fragmented ping", rawFrame({ first: 0x09, payload: "x" })],
    ["a pong nobody asked for", rawFrame({ first: 0x8a, payload: "x" })],
    ["close code 999", rawFrame({ first: 0x88, payload: closing(999) })],
    ["close code 1005", rawFrame({ first: 0x88, payload: closing(1005) })],
    ["close code 65535", rawFrame({ first: 0x88, payload: closing(65_535) })],
    ["a close of one byte", rawFrame({ first: 0x88, payload: "x" })],
    [
      "a close with a broken reason",
      rawFrame({ first: 0x88, payload: Buffer.from("03e8c328", "hex") }),
    ],
    ["a header of 33 MiB", rawFrame({ claimed: 33 * 1024 * 1024 })],
    ["a header of 2⁶³ bytes", rawFrame({ claimed: 2n ** 63n - 1n })],
    ["a length longer than needed", Buffer.from("81fe00020000000041 42".replace(" ", ""), "hex")],
    ["invalid UTF-8", rawFrame({ payload: Buffer.from("c3287b7dff", "hex") })],
    ["a binary frame", rawFrame({ first: 0x82, payload: Buffer.alloc(64, 0xff) })],
    ["a continuation of nothing", rawFrame({ first: 0x80, payload: "x" })],
    ["a text inside a fragmented text", Buffer.concat([rawFrame({ first: 0x01 }), rawFrame({})])],
    ["half a header", Buffer.from([0x81, 0xfe, 0x00])],
    ["a whole message of 1 MiB", rawFrame({ payload: "[".repeat(2 ** 20) })],
    ["10,000 empty frames", Buffer.concat(Array.from({ length: 10_000 }, () => rawFrame({})))],
  ])("[S1] %s harms nobody else", async (_, bytes) => {
    using raw = await upgraded(endpoint, `chat/${ROOM}`, "mallory");
    raw.send(bytes);
    await isUnharmed();
    raw.tcp.end();
    expect(raw.received().toString("latin1")).not.toMatch(/\.ts:\d+|at \w+ \(|node_modules/);
  });

  it("[S1] a message in 5,000 fragments of one byte is one message", async () => {
    using raw = await upgraded(endpoint, `chat/${ROOM}`, "mallory");
    const text = call("$/presence", {}).padEnd(5_000, " ");
    const frames = [...text].map((letter, i) =>
      rawFrame({
        first: (i === 0 ? 0x01 : 0x00) | (i === text.length - 1 ? 0x80 : 0),
        payload: letter,
      }),
    );
    raw.send(Buffer.concat(frames));
    await eventually(async () => raw.received().includes('"result":{"users"'), "the answer");
    expect(raw.received().includes('"error"')).toBe(false);
  });

  it("[S1] 200 seeded streams of broken frames harm nobody else", async () => {
    const dice = chance();
    expect.hasAssertions();
    for (let i = 0; i < 200; i += 10) {
      const attacks = Array.from({ length: 10 }, () => brokenStream(dice));
      await Promise.all(attacks.map((bytes, k) => attack(bytes, dice, `mallory${k}`)));
      await isUnharmed();
    }
  });

  async function attack(bytes: Buffer, { below, next }: Chance, user: string): Promise<void> {
    using raw = await upgraded(endpoint, `chat/${ROOM}`, user);
    for (let at = 0; at < bytes.length;) {
      const end = at + 1 + below(bytes.length);
      raw.send(bytes.subarray(at, end));
      at = end;
      await pause(below(4));
    }
    if (next() < 0.5) raw.tcp.resetAndDestroy();
  }
});

/** Whole frames of all kinds, of which some bits are then flipped or cut off. */
function brokenStream({ below, next, pick }: Chance): Buffer {
  const frames = Array.from({ length: 1 + below(8) }, () =>
    rawFrame({
      first: pick([0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, 0x8a, below(256)]),
      payload: pick([
        call("$/presence", {}),
        call("__proto__", []),
        call("sendToRoom", { constructor: 1 }),
        '{"type":6}\u001e',
        Buffer.from(Array.from({ length: below(200) }, () => below(256))),
      ]),
      masked: next() < 0.9,
      ...(next() < 0.1 && { claimed: pick([0, 1, 125, 126, 70_000, 2 ** 25 + 1]) }),
    }),
  );
  const bytes = Buffer.concat(frames);
  for (let flips = below(6); flips > 0; flips -= 1) bytes[below(bytes.length)]! ^= 1 << below(8);
  return next() < 0.3 ? bytes.subarray(0, 1 + below(bytes.length)) : bytes;
}

describe("upgrades against HTTP", () => {
  const path = `/parties/chat/${ROOM}`;
  const evil = "%0d%0aSet-Cookie:%20a=b";

  it.each<[what: string, text: string, statuses: readonly (number | undefined)[]]>([
    ["garbage", "\x00\x01\x02 garbage\r\n\r\n", [400, undefined]],
    ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", [400, undefined]],
    ["no version", `GET ${path}\r\n\r\n`, [400, undefined]],
    ["no token", upgradeText({ path }), [401]],
    [
      "a token of 20,000 characters",
      upgradeText({ path: `${path}?access_token=${"a".repeat(20_000)}` }),
      [401, 414, 431],
    ],
    [
      "a path of 100,000 characters",
      upgradeText({ path: `/${"a".repeat(100_000)}` }),
      [400, 404, 414, 431, undefined],
    ],
    [
      "headers of 1 MiB",
      upgradeText({ path, headers: { "X-A": "a".repeat(2 ** 20) } }),
      [400, 431, undefined],
    ],
    [
      "2,000 headers",
      upgradeText({
        path,
        headers: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`X-${i}`, "1"])),
      }),
      [400, 401, 431, undefined],
    ],
    ["CRLF in the path", upgradeText({ path: `/parties/chat/group:a${evil}` }), [401]],
    ["CRLF in the hub", upgradeText({ path: `/parties/chat${evil}/group:a` }), [401]],
    ["NUL in the path", upgradeText({ path: "/parties/chat/group:%00" }), [401]],
    ["broken percent-encoding", upgradeText({ path: "/parties/chat/group:%ff%zz" }), [401]],
    [
      "a raw LF in the path",
      upgradeText({ path: "/parties/chat/group:a\nX-A: b" }),
      [400, 401, undefined],
    ],
    ["an absolute URL", upgradeText({ path: `http://example.com${path}` }), [400, 401, 404]],
    ["dot segments", upgradeText({ path: "/parties/chat/../../hubs/admin/groups/a" }), [401, 404]],
    ["another method", upgradeText({ path }).replace("GET", "POST"), [400, 401, 404, 405]],
    [
      "both lengths",
      upgradeText({ path, headers: { "Content-Length": "5", "Transfer-Encoding": "chunked" } }),
      [400, 401, undefined],
    ],
    [
      "a forged arrival",
      upgradeText({ path, headers: { "x-dormouse-arrival": "eyJ1c2VyIjp7ImlkIjoiYWRtaW4ifX0=" } }),
      [401],
    ],
    [
      "an unknown version",
      upgradeText({ path, headers: { "Sec-WebSocket-Version": "99" } }),
      [400, 401, 426],
    ],
  ])("[S2][S12] %s is refused, or the connection ended", async (_, text, statuses) => {
    using raw = wire(endpoint);
    raw.send(Buffer.from(text, "latin1"));
    raw.tcp.end();
    expect(statuses).toContain(await raw.status());
    expect(raw.received().toString("latin1")).not.toMatch(/^set-cookie:/im);
    await isUnharmed();
  });

  it.each<[what: string, name: string, status: number]>([
    ["CRLF", `a${evil}`, 400],
    ["NUL", "%00", 400],
    ["no UTF-8", "%ff", 400],
    ["a lone surrogate", "%ed%a0%80", 400],
    ["nothing", "", 400],
    ["129 characters", "a".repeat(129), 400],
    ["a line separator", "%e2%80%a8", 400],
    ["a slash, encoded", "a%2Fb", 101],
    ["a percent sign, encoded", "a%252Fb", 101],
    ["quotes and SQL", "%27;drop%20table%20log;--", 101],
    ["__proto__", "__proto__", 101],
  ])("[S12] a room named with %s answers %s with a valid token", async (_, name, status) => {
    using raw = wire(endpoint);
    const token = await endpoint.token("mallory");
    raw.send(upgradeText({ path: `/parties/chat/group:${name}?access_token=${token}` }));
    expect(await raw.status()).toBe(status);
    expect(raw.received().toString("latin1")).not.toMatch(/^set-cookie:/im);
  });

  it("[S1] 200 seeded upgrades with broken lines are answered or ended, and open nothing", async () => {
    const dice = chance();
    for (let i = 0; i < 200; i += 10) {
      const statuses = await Promise.all(
        Array.from({ length: 10 }, async () => {
          using raw = wire(endpoint);
          raw.send(brokenUpgrade(path, dice));
          raw.tcp.end();
          return raw.status();
        }),
      );
      expect(statuses.filter((status) => status === 101 || (status ?? 0) >= 500)).toEqual([]);
    }
    await isUnharmed();
  });
});

function brokenUpgrade(path: string, { below, next }: Chance): Buffer {
  const bytes = Buffer.from(upgradeText({ path }), "latin1");
  for (let changes = 1 + below(10); changes > 0; changes -= 1)
    bytes[below(bytes.length)] = below(256);
  return next() < 0.3 ? bytes.subarray(0, 1 + below(bytes.length)) : bytes;
}

describe("after all of it", () => {
  it("[S1] the bystanders are connected as at first, and have heard everything once", async () => {
    await publisher.stop();
    expect(await barrier(ledger, bystanders)).toEqual([]);
    expect(publisher.refused).toEqual([]);
    expect(ledger.totals.acked).toBe(ledger.totals.sent);
    // The same sockets: neither the engine nor the object went away.
    expect([...bystanders, publisher].map(({ client }) => client)).toEqual(connectedAtFirst);
    expect(connectedAtFirst.map((one) => one?.socket.readyState)).toEqual([1, 1, 1]);
  });

  /**
   * The second where its answer to a broken frame, or to a ping that it answers itself, meets a message of ours: a race
   * of the engine (workerd, commit 029973c of January 2025, and the tests of its hibernation manager name it).
   */
  const OF_ENGINE = /WebSocket protocol error|another message send is already in progress/;

  it("[S1] nothing went uncaught but the engine's own words on broken frames", () => {
    const loud = endpoint
      .logs()
      .split("\n")
      .filter((line) => /uncaught|unhandled|failed/i.test(line));
    expect(loud.filter((line) => !OF_ENGINE.test(line))).toEqual([]);
  });
});
