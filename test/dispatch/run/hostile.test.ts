// [S1] [S2] Hostile frames through a socket: the object stays up, answers say nothing of the inside, and a bystander
// in the same room loses nothing.

import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { enter, type Client, type Joining } from "../../rooms/client.ts";
import { chanceOf } from "../../support/seed.ts";
import { notification, request } from "../frames.ts";

const SEED = 42;

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

/** Marks the object's memory: a new one would not have the mark. */
async function marked(group: string) {
  const stub = env.ROOMS.getByName(`default/chat/group/${group}`);
  const mark = crypto.randomUUID();
  await runInDurableObject(stub, (room) => void Object.assign(room, { mark }));
  return async () =>
    runInDurableObject(stub, (room) => (room as unknown as { mark?: string }).mark === mark);
}

const NAMES = [
  "__proto__",
  "constructor",
  "toString",
  "then",
  "",
  "\0",
  "\u2028",
  "\u202e",
  "\ud800",
];

const SEEDS = [
  request(1, "sendToRoom", ["lobby", "x"]),
  [request(2, "joinRoom", ["a"]), notification("leaveRoom", ["a"])],
  request("3", "$/history", { since: "abc:1", limit: 3, reverse: true }),
  notification("$/item", { stream: "s", item: { a: [1] } }),
  notification("$/end", { stream: "s", error: "why" }),
  notification("$/cancelRequest", { id: 1 }),
  { jsonrpc: "2.0", id: "s1", result: { yes: true } },
  { jsonrpc: "2.0", id: "s1", error: { code: 1, message: "no" } },
  request(9, "sendToRoom", [{ $stream: "s" }, "x"], { idempotencyKey: "k" }),
].map((frame) => JSON.stringify(frame));

/** Cuts, doubles, swaps, or puts something nasty into a valid frame. */
function mutated(random: (below: number) => number): string {
  const text = SEEDS[random(SEEDS.length)]!;
  const [at, to] = [random(text.length), random(text.length)].toSorted((a, b) => a - b) as [
    number,
    number,
  ];
  const nasty = JSON.stringify(NAMES[random(NAMES.length)]);
  const mutations = [
    () => text.slice(0, at),
    () => text.slice(0, at) + text.slice(to),
    () => text.slice(0, to) + text.slice(at),
    () => text.slice(0, at) + String.fromCharCode(random(0x250)) + text.slice(at + 1),
    () => text.slice(0, at) + nasty + text.slice(at),
    () => text.replace(/"[a-zA-Z$/]+"/, nasty),
    () => text.replaceAll(/"[a-z]+"/g, (word) => (random(3) === 0 ? nasty : word)),
    () =>
      text.replaceAll(/\d/g, () => ["-0", "1e999", "null", "[]", "{}", "9".repeat(40)][random(6)]!),
  ];
  return mutations[random(mutations.length)]!();
}

/** Nothing of the inside: no stack, no path, no name of a file. */
const INSIDE = /\bat [\w.<>]+ \(|node_modules|\.ts\b|\/src\/|file:\/\//;

afterEach(() => void vi.restoreAllMocks());

describe("[S1] hostile frames", () => {
  it("10,000 mutations leave the object up and the bystander whole", async () => {
    const random = chanceOf(SEED).below;
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    const speaker = await entering("chat/group:lobby", { user: "speaker" });
    const bystander = await entering("chat/group:lobby", { user: "bystander" });
    const isUp = await marked("lobby");
    for (let round = 0; round < 100; round++) {
      const gang = await Promise.all(
        Array.from({ length: 10 }, (_, one) =>
          // Each by itself: together they would begin too many connections.
          entering("chat/group:lobby", { user: `mallory-${one}` }),
        ),
      );
      for (const mallory of gang) for (let n = 0; n < 10; n++) mallory.send(mutated(random));
      await speaker.call("sendToRoom", ["lobby", `${round}`]);
      for (const mallory of gang) mallory[Symbol.dispose]();
      const frames = gang.flatMap((mallory) => mallory.frames);
      expect(
        frames.filter((frame) => INSIDE.test(frame)),
        `seed ${SEED}`,
      ).toEqual([]);
    }
    await bystander.next(({ params }) => params?.[0] === "speaker" && params[1] === "99");
    const heard = bystander
      .messages("receiveMessage")
      .filter(({ params }) => params[0] === "speaker");
    expect(heard.map(({ params }) => params[1])).toEqual(
      Array.from({ length: 100 }, (_, n) => `${n}`),
    );
    expect(await isUp()).toBe(true);
    expect(logged.mock.calls, `seed ${SEED}`).toEqual([]);
  }, 60_000);

  it.each([...NAMES, "hasOwnProperty", "valueOf", "x".repeat(128), "x".repeat(129), "../../etc"])(
    "a method, a stream and a group named %j are answered, or ignored",
    async (name) => {
      const alice = await entering("chat/group:names");
      const { error } = await alice.call(name, [name]);
      expect(["method_not_found", "invalid_request"]).toContain(error!.data.code);
      for (const word of ["$/item", "$/end"])
        alice.send(notification(word, { stream: name, item: 1 }));
      alice.send(notification("$/cancelRequest", { id: name }));
      alice.send({ jsonrpc: "2.0", id: name, result: 1 });
      const joined = await alice.call("joinRoom", [name]);
      expect([undefined, "invalid_arguments", "invalid_name"]).toContain(joined.error?.data.code);
      expect(alice.frames.join()).not.toMatch(INSIDE);
    },
  );

  it("ten malformed frames in a row close the socket with 4502, nine and a good one do not", async () => {
    const alice = await entering("chat/group:ten");
    for (let times = 0; times < 2; times++) {
      for (let n = 0; n < 9; n++) alice.send("{");
      expect((await alice.call("$/presence")).error).toBeUndefined();
    }
    for (let n = 0; n < 10; n++) alice.send("{");
    expect((await alice.closed).code).toBe(4502);
  });

  it("nothing runs that stands behind the malformed element which closed the socket", async () => {
    const alice = await entering("chat/group:behind", { user: "alice" });
    const bob = await entering("chat/group:behind", { user: "bob" });
    alice.send([...Array(10).fill(0), request(1, "sendToRoom", ["behind", "too late"])]);
    await alice.closed;
    await bob.call("sendToRoom", ["behind", "barrier"]);
    expect((await bob.said("receiveMessage")).params).toEqual(["bob", "barrier"]);
  });
});

describe("[S2] bombs", () => {
  const refusedFor = async (frame: string | ArrayBuffer): Promise<[unknown, Client]> => {
    const alice = await entering("chat/group:bombs");
    alice.socket.send(frame);
    const { id, error } = await alice.next(({ error: refused }) => refused !== undefined);
    return [[id, error!.code, error!.data.code], alice];
  };

  it.each([
    ["a frame of 32 KiB and one byte", `"${"x".repeat(32 * 1024 - 1)}"`, -32006, "too_large"],
    ["a frame of 900 KB", "x".repeat(900_000), -32006, "too_large"],
    ["depth 65", "[".repeat(65) + "]".repeat(65), -32006, "too_deep"],
    ["depth 30,000", "[".repeat(30_000), -32006, "too_deep"],
    ["101 messages", JSON.stringify(Array(101).fill(1)), -32006, "too_large"],
    ["a binary frame", new TextEncoder().encode("{}").buffer, -32600, "invalid_request"],
    ["an empty frame", "", -32700, "malformed"],
    ["a BOM", '\ufeff{"jsonrpc":"2.0"}', -32700, "malformed"],
    ["a number", "1", -32600, "invalid_request"],
    [
      "a key __proto__",
      '{"jsonrpc":"2.0","id":null,"method":"x","params":{"__proto__":{}}}',
      -32600,
      "invalid_request",
    ],
  ])("%s is refused, and the connection survives", async (_, frame, number, code) => {
    const [refused, alice] = await refusedFor(frame as string | ArrayBuffer);
    expect(refused).toEqual([null, number, code]);
    expect((await alice.call("sendToRoom", ["bombs", "alive"])).result).toBeNull();
  });

  it("a frame of exactly 32 KiB is taken", async () => {
    const alice = await entering("chat/group:exact");
    const frame = JSON.stringify(request("x", "$/presence", {}));
    alice.send(frame + " ".repeat(32 * 1024 - frame.length));
    expect((await alice.response("x")).error).toBeUndefined();
  });

  it("an object of 5,000 keys as an argument is refused by its schema", async () => {
    const alice = await entering("chat/group:keys");
    const bomb = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [n, 0]));
    expect((await alice.call("sendToRoom", [bomb, "x"])).error!.data.code).toBe(
      "invalid_arguments",
    );
  });

  it("a room's over-rate speaker is refused, and others are not", async () => {
    const mallory = await entering("chat/group:flood", { user: "mallory" });
    const bob = await entering("chat/group:flood", { user: "bob" });
    for (let n = 0; n < 5; n++)
      mallory.send(Array.from({ length: 100 }, () => notification("sendToRoom", ["flood", "x"])));
    expect((await bob.call("sendToRoom", ["flood", "fine"])).error).toBeUndefined();
    await bob.next(({ params }) => params?.[1] === "fine");
    expect(bob.messages("receiveMessage").length).toBeLessThanOrEqual(150);
  });
});
