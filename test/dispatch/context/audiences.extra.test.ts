// Whom the words of hub code reach, over objects: `clients.*` through sockets in several rooms.

import { expect, it, onTestFinished } from "vitest";
import { enter, type Client, type Joining } from "../../rooms/client.ts";

const entering = async (room: string, joining: Joining = {}) => {
  const client = await enter(room, joining);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

/** Alice in two rooms, bob in the second, carol in an order: of a tenant that no other test has. */
async function cast(hub = "plain") {
  const claims = { tid: crypto.randomUUID() };
  const at = (place: string, user: string) => entering(`${hub}/${place}`, { user, claims });
  return {
    alice: await at("group:a", "alice"),
    alice2: await at("group:b", "alice"),
    bob: await at("group:b", "bob"),
    carol: await at("order:1", "carol"),
  };
}
type Cast = Awaited<ReturnType<typeof cast>>;

const idOf = (client: Client): string => client.hello.params.connectionId;

/** Who hears "x": after it, each room says a barrier of its own, and everybody waits for theirs. */
async function hearers(all: Cast): Promise<string[]> {
  await all.alice.call("sayGroups", [["a", "b"], "barrier"]);
  await all.alice.call("sayOrder", ["1", "barrier"]);
  const clients = Object.entries(all);
  for (const [, client] of clients) await client.next(({ params }) => params?.[0] === "barrier");
  return clients.flatMap(([name, client]) =>
    client.messages("said").some(({ params }) => params[0] === "x") ? [name] : [],
  );
}

it.each([
  ["its own group", "sayGroups", () => [["a"], "x"], ["alice"]],
  ["a group elsewhere", "sayGroups", () => [["b"], "x"], ["alice2", "bob"]],
  ["several groups", "sayGroups", () => [["a", "b", "none"], "x"], ["alice", "alice2", "bob"]],
  ["an order", "sayOrder", () => ["1", "x"], ["carol"]],
  ["others in its own group", "sayOthersIn", () => ["a", "x"], []],
  ["others in a group elsewhere", "sayOthersIn", () => ["b", "x"], ["alice2", "bob"]],
  ["all but some", "sayExcept", (c: Cast) => [[idOf(c.bob)], "b", "x"], ["alice2"]],
])("alice's call reaches %s", async (_, method, args, expected) => {
  const all = await cast();
  const { error } = await all.alice.call(method, args(all));
  expect(error).toBeUndefined();
  expect(await hearers(all)).toEqual(expected);
});

it.each([
  ["sayAll", ["alice", "alice2", "bob", "carol"]],
  ["sayOthers", ["alice2", "bob", "carol"]],
])("%s reaches every connection of the hub that it means", async (method, expected) => {
  const all = await cast();
  await all.alice.call(method, ["x"]);
  for (const name of expected) await all[name as keyof Cast].said("said");
  expect(await hearers(all)).toEqual(expected);
});

it("a hub that says so is not reached by clients.all", async () => {
  const all = await cast("unreached");
  await all.alice.call("sayAll", ["x"]);
  expect(await hearers(all)).toEqual([]);
});

it("a user is reached in every room where the hub says so", async () => {
  const all = await cast("reached");
  await all.bob.call("sayUsers", [["alice", "carol"], "x"]);
  for (const client of [all.alice, all.alice2, all.carol]) await client.said("said");
  expect(await hearers(all)).toEqual(["alice", "alice2", "carol"]);
});

it("a user is reached in their own room where the hub says nothing", async () => {
  const claims = { tid: crypto.randomUUID() };
  const home = await entering("plain/user:alice", { user: "alice", claims });
  const away = await entering("plain/group:a", { user: "alice", claims });
  await away.call("sayUsers", [["alice"], "x"]);
  expect((await home.said("said")).room).toBe("user:alice");
  await away.call("sayGroups", [["a"], "barrier"]);
  expect((await away.said("said")).params).toEqual(["barrier"]);
});

it("a group that was joined is heard until it is left, with its own name and positions", async () => {
  const claims = { tid: crypto.randomUUID() };
  const alice = await entering("plain/group:home", { user: "alice", claims });
  const bob = await entering("plain/group:away", { user: "bob", claims });
  await alice.call("join", ["away"]);
  await bob.call("sayGroups", [["away"], "1"]);
  const heard = await alice.said("said");
  expect(heard).toMatchObject({ params: ["1"], room: "group:away", position: expect.any(String) });
  expect(heard).toEqual(await bob.said("said"));
  await alice.call("leave", ["away"]);
  await bob.call("sayGroups", [["away"], "2"]);
  await bob.call("sayGroups", [["home"], "barrier"]);
  expect((await alice.said("said")).params).toEqual(["barrier"]);
});

it("the caller that joined elsewhere does not hear what others in that group hear", async () => {
  const claims = { tid: crypto.randomUUID() };
  const alice = await entering("plain/group:home", { user: "alice", claims });
  const bob = await entering("plain/group:away", { user: "bob", claims });
  await alice.call("join", ["away"]);
  await alice.call("sayOthersIn", ["away", "x"]);
  await bob.said("said");
  await bob.call("sayGroups", [["away"], "barrier"]);
  expect((await alice.said("said")).params).toEqual(["barrier"]);
});

it("a connection joins as many groups as it may, and one more once it has left one", async () => {
  const alice = await entering("small/group:home");
  const code = async (method: string, group: string) =>
    (await alice.call(method, [group])).error?.data.code;
  const joined = [];
  for (const group of ["a", "b", "c", "d", "a"]) joined.push(await code("join", group));
  expect(joined).toEqual([undefined, undefined, undefined, "too_many_groups", undefined]);
  await code("leave", "a");
  expect(await code("join", "e")).toBeUndefined();
});

it.each(["", "x".repeat(129), "a\u0000b", "\ud800"])(
  "there is no group %j to join",
  async (name) => {
    const alice = await entering("plain/group:home");
    const { error } = await alice.call("join", [name]);
    expect(error).toMatchObject({ code: -32602, data: { code: "invalid_name" } });
  },
);
