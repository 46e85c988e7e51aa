// The protocol's own words: history, presence, state, and fresh tokens.

import { describe, expect, it, onTestFinished } from "vitest";
import { enter, token, type Client, type Joining } from "../../rooms/client.ts";

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

const code = async (called: ReturnType<Client["call"]>) => (await called).error?.data.code;

describe("$/history", () => {
  const spoken = async (room: string) => {
    const alice = await entering(`chat/group:${room}`, { user: "alice" });
    for (const n of [1, 2, 3]) await alice.call("sendToRoom", [room, `${n}`]);
    return alice;
  };
  const texts = (messages: { method: string; params: string[] }[]) =>
    messages.flatMap(({ method, params }) => (method === "receiveMessage" ? params[1] : []));

  it("gives what was said, oldest first, and where the log stands", async () => {
    const alice = await spoken("h1");
    const { result } = await alice.call("$/history", {});
    expect(texts(result.messages)).toEqual(["1", "2", "3"]);
    expect(result.messages.at(-1)).toEqual({
      method: "receiveMessage",
      params: ["alice", "3"],
      position: result.position,
      at: expect.any(Number),
    });
  });

  it("takes params in an array, or none", async () => {
    const alice = await spoken("h2");
    expect(texts((await alice.call("$/history", [{ limit: 2 }])).result.messages)).toEqual([
      "2",
      "3",
    ]);
    expect(texts((await alice.call("$/history")).result.messages)).toHaveLength(3);
  });

  it("reads on from a position, and backwards", async () => {
    const alice = await spoken("h3");
    const [first] = alice.messages("receiveMessage");
    const since = await alice.call("$/history", { since: first!.position });
    expect(texts(since.result.messages)).toEqual(["2", "3"]);
    const reverse = await alice.call("$/history", { limit: 2, reverse: true });
    expect(texts(reverse.result.messages)).toEqual(["3", "2"]);
  });

  it("of another epoch is gone, never partial", async () => {
    const alice = await spoken("h4");
    expect(await code(alice.call("$/history", { since: "zzzzzzzzz:1" }))).toBe("history_gone");
  });

  it.each([
    [{ since: "nonsense" }, "invalid_position"],
    [{ since: 1 }, "invalid_arguments"],
    [{ limit: -1 }, "invalid_arguments"],
    [{ limit: 1.5 }, "invalid_arguments"],
    [{ limit: "all" }, "invalid_arguments"],
    [{ reverse: "yes" }, "invalid_arguments"],
  ])("refuses %j", async (params, expected) => {
    const alice = await entering("chat/group:h5");
    expect(await code(alice.call("$/history", params))).toBe(expected);
  });

  it("is read in the order of calls: what was said before is in it", async () => {
    const alice = await entering("chat/group:h6");
    void alice.call("sendToRoom", ["h6", "mine"]);
    expect(texts((await alice.call("$/history")).result.messages)).toEqual(["mine"]);
  });
});

describe("$/presence", () => {
  it("gives who is there, by pages", async () => {
    const alice = await entering("chat/group:p1", { user: "alice" });
    await entering("chat/group:p1", { user: "bob" });
    await entering("chat/group:p1", { user: "bob" });
    const { result } = await alice.call("$/presence", { limit: 1 });
    expect(result).toMatchObject({ users: 2, connections: 3, more: true });
    expect(result.members).toMatchObject([{ userId: "alice", connections: 1, state: null }]);
    const next = await alice.call("$/presence", { after: "alice" });
    expect(next.result).toMatchObject({
      members: [{ userId: "bob", connections: 2 }],
      more: false,
    });
  });

  it.each([{ after: 1 }, { limit: -1 }, { limit: null }, "text"])("refuses %j", async (params) => {
    const alice = await entering("chat/group:p2");
    expect(await code(alice.call("$/presence", [params]))).toBe("invalid_arguments");
  });
});

describe("$/track", () => {
  it("shows a state to everybody, and $/untrack takes it back", async () => {
    const alice = await entering("chat/group:t1", { user: "alice" });
    const bob = await entering("chat/group:t1", { user: "bob" });
    const tracked = () => bob.next((f) => f.method === "$/presence" && f.params.tracked);
    expect((await alice.call("$/track", { state: { typing: true } })).result).toBeNull();
    expect((await tracked()).params.tracked).toEqual([
      { userId: "alice", state: { typing: true } },
    ]);
    await alice.call("$/untrack");
    expect((await tracked()).params.tracked).toEqual([{ userId: "alice", state: null }]);
  });

  it("refuses a state beyond 1,024 bytes", async () => {
    const alice = await entering("chat/group:t2");
    expect(await code(alice.call("$/track", { state: "x".repeat(1_100) }))).toBe("too_large");
  });

  it.each([
    ["$/track", {}, "Params (state): Invalid input: expected a value, received undefined"],
    ["$/track", [1], "Params: Invalid input: expected object, received number"],
    ["$/untrack", { room: 1 }, "Params (room): Invalid input: expected string, received number"],
    ["$/join", {}, "Params (room): Invalid input: expected string, received undefined"],
  ])("%s with %j names what is expected, as other methods do", async (method, params, text) => {
    const alice = await entering("chat/group:t3");
    const { error } = await alice.call(method, params);
    expect([error!.data.code, error!.message]).toEqual(["invalid_arguments", text]);
  });
});

describe("$/refresh", () => {
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  it("puts a fresh token in the place of the old one", async () => {
    const alice = await entering("chat/group:r1", { claims: { exp: inSeconds(60) } });
    const exp = inSeconds(7_200);
    const { result } = await alice.call("$/refresh", { token: await token("alice", { exp }) });
    expect(result).toEqual({ expiresAt: (exp + 60) * 1000 });
  });

  it("gives the rights of the fresh token to the calls that follow", async () => {
    const alice = await entering("admin/group:r2", { claims: { role: "Admin" } });
    expect(await code(alice.call("broadcastAlert", ["x"]))).toBe("forbidden");
    const claims = { role: "Admin", permissions: ["users.manage"] };
    await alice.call("$/refresh", { token: await token("alice", claims) });
    expect(await code(alice.call("broadcastAlert", ["x"]))).toBeUndefined();
  });

  it("refuses another user, and another tenant", async () => {
    const alice = await entering("chat/group:r3");
    for (const fresh of [await token("bob"), await token("alice", { tid: "acme" })])
      expect(await code(alice.call("$/refresh", { token: fresh }))).toBe("forbidden");
  });

  it("refuses a token that no longer admits the room", async () => {
    const alice = await entering("admin/group:r4", { claims: { role: "Admin" } });
    expect(await code(alice.call("$/refresh", { token: await token("alice") }))).toBe("forbidden");
  });

  it("takes a token whose caps admit the room", async () => {
    const caps = (channel: string) => [{ channels: [channel], allow: ["sub"] }];
    const alice = await entering("admin/group:r5", { claims: { caps: caps("group:r5") } });
    const other = await token("alice", { caps: caps("group:other") });
    const same = await token("alice", { caps: caps("group:r5") });
    expect(await code(alice.call("$/refresh", { token: same }))).toBeUndefined();
    expect(await code(alice.call("$/refresh", { token: other }))).toBe("forbidden");
  });

  it("lets the connection live until the new expiry, and not longer", async () => {
    const soon = { exp: inSeconds(-58) }; // inside the leeway of 60 s, for two seconds more
    const [kept, ended, shortened] = [
      await entering("chat/group:r8", { user: "kept", claims: soon }),
      await entering("chat/group:r8", { user: "ended", claims: soon }),
      await entering("chat/group:r8", { user: "shortened" }),
    ];
    await kept.call("$/refresh", { token: await token("kept") });
    await shortened.call("$/refresh", { token: await token("shortened", soon) });
    expect((await ended.closed).code).toBe(4401);
    expect((await shortened.closed).code).toBe(4401);
    expect(await code(kept.call("$/presence"))).toBeUndefined();
  });

  it("refuses an expired token with its reason, and the connection lives on", async () => {
    const alice = await entering("chat/group:r6");
    const expired = await token("alice", { exp: inSeconds(-61) });
    expect(await code(alice.call("$/refresh", { token: expired }))).toBe("token_expired");
    expect(await code(alice.call("$/presence"))).toBeUndefined();
  });

  it.each([
    [{ token: "" }, "token_missing"],
    [{ token: "a.b.c" }, "token_malformed"],
    [{ token: 1 }, "invalid_arguments"],
    [{}, "invalid_arguments"],
  ])("refuses %j", async (params, expected) => {
    const alice = await entering("chat/group:r7");
    expect(await code(alice.call("$/refresh", params))).toBe(expected);
  });
});

it.each(["$/unknown", "$/connected", "$", "$/History"])("%s is no method", async (method) => {
  const alice = await entering("chat/group:none");
  expect((await alice.call(method)).error!.code).toBe(-32601);
});

it("a word that waits may be cancelled, and shares no id with a call", async () => {
  const alice = await entering("chat/group:ids");
  const frame = (method: string, params: unknown) => ({ jsonrpc: "2.0", id: 1, method, params });
  alice.send([frame("sendToRoom", ["ids", "x"]), frame("$/presence", {})]);
  await alice.next(({ id }) => id === 1);
  const codes = alice.heard.filter(({ id }) => id === 1).map(({ error }) => error?.data.code);
  expect(codes).toEqual([undefined, "duplicate_id"]);
});
