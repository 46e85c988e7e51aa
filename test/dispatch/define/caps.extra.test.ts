// What a token's `caps` let its client do by itself: see who is there, and publish.

import { expect, it, onTestFinished } from "vitest";
import { Client, enter, roomAt, token, upgrade } from "../../rooms/client.ts";

type Claims = Record<string, unknown>;

const cap = (room: string, ...allow: string[]): Claims => ({ caps: [{ channels: [room], allow }] });

/** On the whole of hub `closed`, where only tokens open rooms. */
async function rpc(claims: Claims, user = "alice"): Promise<Client> {
  const access = await token(user, claims);
  const { webSocket } = await upgrade(`/hubs/closed/rpc?arrays=1&access_token=${access}`);
  const client = new Client(webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

const code = async (called: ReturnType<Client["call"]>) => (await called).error?.data.code;

it.each([
  ["sub", { join: undefined, presence: undefined, history: undefined, publish: "forbidden" }],
  ["pub", { join: "forbidden", presence: "forbidden", history: "forbidden", publish: undefined }],
  ["prs", { join: "forbidden", presence: undefined, history: "forbidden", publish: "forbidden" }],
  ["hst", { join: "forbidden", presence: "forbidden", history: undefined, publish: "forbidden" }],
])("%s grants what it says, in its rooms and in no other", async (right, expected) => {
  const room = `group:only-${right}`;
  const alice = await rpc(cap(room, right));
  const outcome = async (name: string) => ({
    join: await code(alice.call("$/join", { room: name })),
    presence: await code(alice.call("$/presence", { room: name })),
    history: await code(alice.call("$/history", { room: name })),
    publish: await code(alice.call("$/publish", { room: name, method: "said", params: ["x"] })),
  });
  expect(await outcome(room)).toEqual(expected);
  const none = { join: "forbidden", presence: "forbidden", history: "forbidden" };
  expect(await outcome("group:another")).toEqual({ ...none, publish: "forbidden" });
});

it("a publish is numbered, saved and heard like what a hub says, and its position comes back", async () => {
  const room = "group:pub";
  using bob = await enter(`closed/${room}`, { user: "bob", claims: cap(room, "sub") });
  const alice = await rpc(cap(room, "pub"));
  const { result } = await alice.call("$/publish", { room, method: "said", params: ["hello", 1] });
  const said = await bob.said("said");
  expect(said).toMatchObject({ room, params: ["hello", 1], position: result.position });
  const { result: page } = await bob.call("$/history");
  expect(page.messages).toMatchObject([{ method: "said", position: result.position }]);
  await alice.call("$/publish", { room, method: "said", params: { an: "object" } });
  expect((await bob.said("said")).params).toEqual([{ an: "object" }]);
  await alice.call("$/publish", { room, method: "said" });
  expect((await bob.said("said")).params).toEqual([]);
});

it("in its own room it needs no name, and there it needs the right as well", async () => {
  const room = "group:own";
  using alice = await enter(`closed/${room}`, { claims: cap(room, "sub", "pub") });
  using bob = await enter(`closed/${room}`, { user: "bob", claims: cap(room, "sub") });
  const { result } = await alice.call("$/publish", { method: "said", params: ["mine"] });
  expect((await bob.said("said")).position).toBe(result.position);
  expect(await code(bob.call("$/publish", { method: "said", params: [] }))).toBe("forbidden");
});

it("under one key it is said once, and answered alike; another user's key is another", async () => {
  const room = "group:once";
  const said = { room, method: "said", params: ["x"], idempotencyKey: "k" };
  const alice = await rpc(cap(room, "pub", "hst"));
  const bob = await rpc(cap(room, "pub"), "bob");
  const first = (await alice.call("$/publish", said)).result;
  expect((await alice.call("$/publish", said)).result).toEqual(first);
  expect((await bob.call("$/publish", said)).result).not.toEqual(first);
  expect((await alice.call("$/history", { room })).result.messages).toHaveLength(2);
});

it("services publish anywhere, to a whole hub too; no wildcard does", async () => {
  const service = await rpc({ role: "service" });
  const { error } = await service.call("$/publish", { room: "all", method: "said", params: ["x"] });
  expect(error).toBeUndefined();
  await service.heardFrame(({ method }) => method === "said");
  expect(await code(service.call("$/publish", { room: "user:x", method: "said" }))).toBeUndefined();
  const caps = [{ channels: ["**"], match: "wildcard", allow: ["pub"] }];
  const alice = await rpc({ caps });
  expect(await code(alice.call("$/publish", { room: "all", method: "said" }))).toBe("forbidden");
});

it.each([
  [{ room: "group:bad", method: "$/reset" }, "invalid_arguments"],
  [{ room: "group:bad", method: "" }, "invalid_arguments"],
  [{ room: "group:bad", method: "x".repeat(257) }, "invalid_arguments"],
  [{ room: "group:bad", method: 1 }, "invalid_arguments"],
  [{ room: "group:bad", method: "said", params: "x" }, "invalid_arguments"],
  [{ room: "group:bad", method: "said", idempotencyKey: "" }, "invalid_arguments"],
  [{ room: "planet:x", method: "said" }, "room_kind_not_found"],
  [{ method: "said" }, "invalid_arguments"],
])("refuses %j", async (params, expected) => {
  const alice = await rpc({ role: "service" });
  expect(await code(alice.call("$/publish", params))).toBe(expected);
});

it("counts against the rate of calls, and ends with the token that allowed it", async () => {
  const room = "group:rate";
  const alice = await rpc({ ...cap(room, "pub"), limits: { callsPerSecond: 1, callBurst: 2 } });
  const said = { room, method: "said", params: [] };
  const calls = await Promise.all([1, 2, 3].map(() => code(alice.call("$/publish", said))));
  expect(calls).toEqual([undefined, undefined, "rate_limited"]);
  const bob = await rpc(cap(room, "pub"), "bob");
  await bob.call("$/refresh", { token: await token("bob") });
  expect(await code(bob.call("$/publish", said))).toBe("forbidden");
  const missed = await roomAt(`closed/${room}`).missed(undefined);
  expect(missed).toMatchObject({ position: { offset: 2 } });
});
