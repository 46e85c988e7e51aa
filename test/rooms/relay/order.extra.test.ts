// The order that SignalR's users know: an answer comes after what its call said, joins and leaves come after what the
// connection said before, and what came before the end of a connection is still begun or answered.

import { describe, expect, it } from "vitest";
import { connected, type Record, type SignalR } from "./client.ts";

const RS = "\u001e";
const HUB = "ordered";

const isCompletion = ({ type }: Record): boolean => type === 3;

/** Sends calls in one frame, without waiting for answers; `last` ends the frame as it is. */
function sendTogether(client: SignalR, calls: readonly (readonly unknown[])[], last = ""): void {
  const records = calls.map(([target, ...args], i) =>
    JSON.stringify({ type: 1, invocationId: `t${i}`, target, arguments: args }),
  );
  client.socket.send(`${records.map((record) => record + RS).join("")}${last}`);
}

async function tracesOf(user: string): Promise<string[]> {
  using observer = await connected(HUB, { user: `observer-${user}` });
  return (await observer.call("TraceOf", user)).result as string[];
}

const opened = async (gate: string): Promise<void> => {
  using opener = await connected(HUB, { user: `opener-${gate}` });
  await opener.call("Open", gate);
};

describe("a completion", () => {
  it.each([
    ["group", "Say", "order-own"],
    ["hub", "SayAll", undefined],
    ["user", "SayUser", "order-alice"],
  ] as const)(
    "comes after what its call said to the caller's own %s",
    async (_kind, target, to) => {
      using alice = await connected(HUB, { user: "order-alice" });
      await alice.call("Join", "order-own");
      for (let i = 0; i < 40; i++) {
        const text = `${target} ${i}`;
        await alice.call(target, ...(to === undefined ? [text] : [to, text]));
        const own = alice.heard.findIndex((one) => one.arguments?.[0] === text);
        const answers = alice.heard.filter(isCompletion);
        expect([own >= 0, own < alice.heard.indexOf(answers.at(-1)!)]).toEqual([true, true]);
      }
    },
  );

  it("waits for nothing where the caller is not in the audience", async () => {
    using alice = await connected(HUB, { user: "outside" });
    expect(await alice.call("Say", "order-elsewhere", "hello")).toMatchObject({ result: null });
    await alice.call("Join", "order-elsewhere");
    expect(await alice.call("SayOthers", "order-elsewhere", "you")).toMatchObject({ result: null });
    expect(alice.texts).toEqual([]);
  });
});

describe("what a call sends to its caller", () => {
  it.each([
    ["the group", "told-group"],
    ["all", undefined],
  ])("comes after what it said to %s before", async (_audience, name) => {
    using alice = await connected(HUB, { user: "told" });
    if (name !== undefined) await alice.call("Join", name);
    const expected: string[] = [];
    for (let i = 0; i < 10; i++) {
      await alice.call("SayThenTell", `${i}`, ...(name === undefined ? [] : [name]));
      expected.push(`${i}`, `${i} to you`);
    }
    expect(alice.texts).toEqual(expected);
  });

  it("comes after what it said to their group before, be it a question, an item or a failure", async () => {
    using alice = await connected(HUB, { user: "asked" });
    await alice.call("Join", "asked");
    const from = alice.heard.length;
    const args = ["asked", "first"];
    alice.say({ type: 1, invocationId: "q", target: "SayThenAsk", arguments: args });
    const { invocationId } = await alice.record(({ target }) => target === "Confirm");
    alice.say({ type: 3, invocationId, result: true });
    await alice.record((one) => one.invocationId === "q");
    alice.say({ type: 1, invocationId: "f", target: "SayThenFail", arguments: args });
    await alice.record((one) => one.invocationId === "f");
    alice.say({ type: 4, invocationId: "s", target: "SayThenYield", arguments: args });
    await alice.record((one) => one.invocationId === "s" && isCompletion(one));
    expect(alice.heard.slice(from).map(({ target, type }) => target ?? type)).toEqual([
      ...["Said", "Confirm", 3],
      ...["Said", 3],
      ...["Said", 2, 3],
    ]);
  });

  it("and its answer come after those of the calls before, which need not be over when it begins", async () => {
    using alice = await connected(HUB, { user: "in-order" });
    await alice.call("Join", "in-order");
    const from = alice.heard.length;
    sendTogether(alice, [
      ["Say", "in-order", "from A"],
      ["SayBack", "from B"],
      ["TraceOf", "nobody"],
    ]);
    await alice.record(({ invocationId }) => invocationId === "t2");
    expect(alice.heard.slice(from).map((one) => one.invocationId ?? one.arguments?.[0])).toEqual([
      "from A",
      "t0",
      "from B",
      "t1",
      "t2",
    ]);
  });
});

describe("membership", () => {
  it("begins behind what the connection said to the room before", async () => {
    using member = await connected(HUB, { user: "order-member" });
    for (let i = 0; i < 10; i++) {
      const room = `order-join-${i}`;
      await member.call("Join", room);
      using newcomer = await connected(HUB, { user: "order-newcomer" });
      await newcomer.call("SayThenJoin", room, `new ${i}`);
      await member.hears(`new ${i}`);
      await member.call("Say", room, `later ${i}`);
      await newcomer.hears(`later ${i}`);
      expect(newcomer.texts).toEqual([`later ${i}`]);
    }
  });

  it("ends behind it, in one method and in two calls", async () => {
    using leaver = await connected(HUB, { user: "order-leaver" });
    const expected: string[] = [];
    for (let i = 0; i < 10; i++) {
      const room = `order-leave-${i}`;
      await leaver.call("Join", room);
      await leaver.call("SayThenLeave", room, `bye ${i}`);
      await leaver.call("Join", room);
      leaver.say({ type: 1, target: "Say", arguments: [room, `good bye ${i}`] });
      await leaver.call("Leave", room);
      await leaver.call("Say", room, "unheard");
      expected.push(`bye ${i}`, `good bye ${i}`);
    }
    expect(leaver.texts).toEqual(expected);
  });
});

describe("while `connected` runs", () => {
  it("an upload may have as many items waiting as at any other time", async () => {
    using alice = await connected(HUB, { user: "slow-upload" });
    alice.say({ type: 1, invocationId: "u", target: "Count", arguments: [], streamIds: ["s"] });
    for (let item = 0; item < 1_000; item++) alice.say({ type: 2, invocationId: "s", item });
    alice.say({ type: 3, invocationId: "s" });
    await opened("slow-upload");
    expect(await alice.record(isCompletion)).toMatchObject({ invocationId: "u", result: 1_000 });
  });

  it("calls beyond those that may wait are refused, and the connection lives on", async () => {
    using alice = await connected(HUB, { user: "slow-calls" });
    for (let i = 0; i < 50; i++)
      sendTogether(
        alice,
        [1, 2, 3].map(() => ["TraceOf", "nobody"]),
      );
    await opened("slow-calls");
    await expect.poll(() => alice.heard.filter(isCompletion).length).toBe(150);
    expect(alice.heard.filter(({ error }) => error === undefined)).toHaveLength(100);
  });

  it("a client whose messages do not fit into its memory is closed", async () => {
    const alice = await connected(HUB, { user: "slow-flood" });
    const item = "x".repeat(30_000);
    for (let i = 0; i < 500; i++) alice.say({ type: 2, invocationId: "s", item });
    await alice.closed;
    expect(alice.heard.map(({ type, allowReconnect }) => [type, allowReconnect])).toEqual([
      [7, true],
    ]);
  });
});

describe("a connection that hub code ends", () => {
  it("gets what was sent to it before, and answers to earlier calls, then the Close", async () => {
    const alice = await connected(HUB, { user: "aborted" });
    sendTogether(alice, [
      ["Join", "aborted-1"],
      ["SayThenAbort", "bye"],
      ["Join", "aborted-2"],
    ]);
    await alice.closed;
    expect(alice.heard).toEqual([
      { type: 3, invocationId: "t0", result: null },
      { type: 1, target: "Said", arguments: ["bye to you"] },
      { type: 7 },
    ]);
  });

  it("has `disconnected` run without an error, and calls that waited for their turn do not run", async () => {
    const alice = await connected(HUB, { user: "aborted-waiting" });
    sendTogether(alice, [
      ["SayThenAbort", "bye"],
      ["Wait", "aborted-waiting"],
    ]);
    await alice.closed;
    await expect.poll(() => tracesOf("aborted-waiting")).toHaveLength(3);
    expect(await tracesOf("aborted-waiting")).toEqual([
      ...["connected begins", "connected ends", "disconnected: no error"],
    ]);
  });

  it("gets its own copy of what its call published, then the Close", async () => {
    const alice = await connected(HUB, { user: "aborted-member" });
    await alice.call("Join", "aborted-group");
    alice.say({ type: 1, target: "SayThenAbort", arguments: ["bye", "aborted-group"] });
    await alice.closed;
    expect(alice.texts).toEqual(["bye", "bye to you"]);
    expect(alice.heard.at(-1)).toEqual({ type: 7 });
  });

  it("gets what `connected` sent to it before it threw", async () => {
    const alice = await connected(HUB, { user: "refused" });
    await alice.closed;
    expect(alice.texts).toEqual(["no room"]);
    expect(alice.heard.map(({ type }) => type)).toEqual([1, 7]);
  });
});

describe("a client that ends its connection", () => {
  it("gets the answers to the calls before its Close, then the Close", async () => {
    using alice = await connected(HUB, { user: "closing" });
    const calls = [1, 2, 3].map((i) => ["Join", `closing-${i}`]);
    sendTogether(alice, calls, JSON.stringify({ type: 7, error: "had enough" }) + RS);
    await alice.closed;
    expect(alice.heard.map(({ type, invocationId }) => [type, invocationId])).toEqual([
      [3, "t0"],
      [3, "t1"],
      [3, "t2"],
      [7, undefined],
    ]);
    await expect.poll(() => tracesOf("closing")).toContain("disconnected: had enough");
  });

  it("by an unreadable message gives the hub its reason", async () => {
    using alice = await connected("ordered", { user: "unreadable" });
    alice.say({ type: 3, result: 1 });
    expect(await alice.record(({ type }) => type === 7)).toMatchObject({
      error: "Connection closed with an error.",
    });
    await expect
      .poll(() => tracesOf("unreadable"))
      .toContain("disconnected: Missing required property 'invocationId'.");
  });

  it("gets the answers to the calls before a broken message", async () => {
    using alice = await connected(HUB, { user: "breaking" });
    sendTogether(
      alice,
      [
        ["Join", "breaking-1"],
        ["Join", "breaking-2"],
      ],
      `{"type":${RS}`,
    );
    await alice.closed;
    expect(alice.heard.map(({ type }) => type)).toEqual([3, 3, 7]);
  });

  it.each([
    ["a Close", `{"type":7}${RS}`, { type: 7 }],
    ["a broken message", `{"type":${RS}`, expect.objectContaining({ type: 7 })],
  ])(
    "is asked nothing any more: questions that wait, and later ones, fail at %s",
    async (_what, last, close) => {
      using alice = await connected("relayed", { user: "asked-and-gone" });
      sendTogether(alice, [["AskOther", alice.id, "sure?"]]);
      await alice.record(({ target }) => target === "Confirm");
      sendTogether(alice, [], last);
      await alice.closed;
      expect(alice.heard.map(({ type }) => type)).toEqual([1, 3, 7]);
      expect(alice.heard.at(-1)).toEqual(close);
    },
  );

  it("has the calls that waited for their turn run, with an aborted signal, before disconnected", async () => {
    const alice = await connected(HUB, { user: "hasty" });
    sendTogether(alice, [
      ["Wait", "hasty-1"],
      ["Wait", "hasty-2"],
      ["Wait", "hasty-3"],
    ]);
    await expect.poll(() => tracesOf("hasty")).toContain("wait hasty-1 begins");
    alice.socket.close(1000);
    await alice.closed;
    for (const name of ["hasty-3", "hasty-2", "hasty-1"]) await opened(name);
    await expect.poll(() => tracesOf("hasty")).toContain("disconnected: no error");
    expect(await tracesOf("hasty")).toEqual([
      ...["connected begins", "connected ends"],
      ...["hasty-1", "hasty-2", "hasty-3"].flatMap((name) => [
        `wait ${name} begins`,
        `wait ${name} ends, aborted`,
      ]),
      "disconnected: no error",
    ]);
  });

  it("while connected runs: disconnected comes after it, and no call is made", async () => {
    const alice = await connected(HUB, { user: "slow-alice" });
    alice.say({ type: 4, invocationId: "s", target: "Ticker", arguments: [] });
    await expect.poll(() => tracesOf("slow-alice")).toContain("connected begins");
    alice.socket.close(1000);
    await alice.closed;
    expect(await tracesOf("slow-alice")).toEqual(["connected begins"]);
    await opened("slow-alice");
    await expect.poll(() => tracesOf("slow-alice")).toContain("disconnected: no error");
    expect(await tracesOf("slow-alice")).toEqual([
      "connected begins",
      "connected ends",
      "disconnected: no error",
    ]);
  });
});
