// Azure SignalR's data plane, row by row of its table: verbs, paths, statuses, and what happens to clients.

import { runInDurableObject } from "cloudflare:test";
import { encode } from "@msgpack/msgpack";
import { afterEach, describe, expect, it } from "vitest";
import { connected, relayOf, type SignalR } from "../../rooms/relay/client.ts";
import { enter, type Client } from "../../rooms/client.ts";
import { ask, refusal } from "./service.ts";

const open: Disposable[] = [];
afterEach(() => {
  for (const client of open.splice(0)) client[Symbol.dispose]();
});

const signalR = async (user: string, hub = "relayed"): Promise<SignalR> => {
  const client = await connected(hub, { user });
  open.push(client);
  return client;
};

const socket = async (room: string, user: string): Promise<Client> => {
  const client = await enter(room, { user });
  open.push(client);
  return client;
};

const status = async (...[method, path, asking]: Parameters<typeof ask>): Promise<number> => {
  const response = await ask(method, path, asking);
  await response.body?.cancel();
  return response.status;
};

const said = (text: string) => ({ body: { target: "said", arguments: [text] } });
const id = encodeURIComponent;

describe.each(["/hubs/relayed", "/v1/hubs/Relayed"])("%s", (hub) => {
  it("says something to all but the excluded", async () => {
    const [alice, bob] = [await signalR("alice"), await signalR("bob")];
    expect(
      await status(
        "POST",
        `${hub}/:send?excluded=${id(bob.id)}&api-version=2022-06-01`,
        said("one"),
      ),
    ).toBe(202);
    expect(await status("POST", `${hub}/:send?excluded=x&excluded=y`, said("two"))).toBe(202);
    await alice.hears("two");
    await bob.hears("two");
    expect([alice.texts, bob.texts]).toEqual([["one", "two"], ["two"]]);
  });

  it("closes all but the excluded, with a reason", async () => {
    const [alice, bob] = [await signalR("alice"), await signalR("bob")];
    const path = `${hub}/:closeConnections?excluded=${id(bob.id)}&reason=for%20now`;
    expect(await status("POST", path)).toBe(204);
    const close = await alice.record(({ type }) => type === 7);
    expect(close).toEqual({ type: 7, error: "for now" });
    await bob.call("join", "x");
  });

  it("finds, tells, asks and closes a connection", async () => {
    const alice = await signalR("alice");
    const path = `${hub}/connections/${id(alice.id)}`;
    expect([await status("HEAD", path), await status("GET", path)]).toEqual([200, 200]);
    expect(await status("POST", `${path}/:send`, said("you"))).toBe(202);
    await alice.hears("you");
    expect(await status("DELETE", `${path}?reason=enough`)).toBe(200);
    expect(await alice.record(({ type }) => type === 7)).toEqual({ type: 7, error: "enough" });
    expect([await status("HEAD", path), await status("DELETE", path)]).toEqual([404, 200]);
    expect(await status("POST", `${path}/:send`, said("you"))).toBe(202);
  });

  it("gives what a client answers, and says why where it does not", async () => {
    const alice = await signalR("alice");
    const path = `${hub}/connections/${id(alice.id)}/:invoke`;
    const asked = ask("POST", path, { body: { target: "choose", arguments: [1, 2] } });
    const { invocationId } = await alice.record(({ target }) => target === "Choose");
    alice.say({ type: 3, invocationId, result: { chose: 2 } });
    const answer = await asked;
    expect([answer.status, await answer.json()]).toEqual([200, { result: { chose: 2 } }]);
    const failing = ask("POST", path, { body: { target: "fail" } });
    const question = await alice.record(({ target }) => target === "Fail");
    alice.say({ type: 3, invocationId: question.invocationId, error: "No." });
    expect(await refusal(await failing)).toEqual([502, "client_error"]);
    const lost = ask("POST", path, { body: { target: "never" } });
    await alice.record(({ target }) => target === "Never");
    alice.socket.close(1000);
    expect(await refusal(await lost)).toEqual([404, "connection_not_found"]);
    const bob = await signalR("bob");
    const asking = `${hub}/connections/${id(bob.id)}/:invoke`;
    const cutOff = ask("POST", asking, { body: { target: "never" } });
    await bob.record(({ target }) => target === "Never");
    const relay = relayOf("relayed", bob.id);
    await runInDurableObject(relay, (_, state) => state.abort("reset by a test")).catch(() => {});
    expect(await refusal(await cutOff)).toEqual([404, "connection_not_found"]);
  });

  it("sends a stream's items, and ends it", async () => {
    const alice = await signalR("alice");
    const path = `${hub}/connections/${id(alice.id)}/streams`;
    expect(await status("POST", `${path}/s1/:send`, { body: { n: 1 } })).toBe(202);
    expect(await status("POST", `${path}/s1/:send?completed=true`, { body: 2 })).toBe(202);
    expect(await status("POST", `${path}/s2/:complete?reason=broke`)).toBe(202);
    await alice.record(({ error }) => error === "broke");
    expect(alice.heard.filter(({ type }) => type === 2 || type === 3)).toEqual([
      { type: 2, invocationId: "s1", item: { n: 1 } },
      { type: 2, invocationId: "s1", item: 2 },
      { type: 3, invocationId: "s1" },
      { type: 3, invocationId: "s2", error: "broke" },
    ]);
  });

  it("puts connections into groups, lists them, and takes them out", async () => {
    const clients = [await signalR("alice"), await signalR("bob"), await signalR("bob")];
    const group = `${hub}/groups/a%2Fb${hub.length}`;
    expect([
      await status("HEAD", group),
      await status("POST", `${group}/:send`, said("nobody")),
    ]).toEqual([404, 202]);
    for (const client of clients)
      expect(await status("PUT", `${group}/connections/${id(client.id)}`)).toBe(200);
    expect(await status("HEAD", group)).toBe(200);
    const list = await (await ask("GET", `${group}/connections`)).json<{ value: object[] }>();
    const expected = clients.map(({ id: connectionId }, index) => {
      return { connectionId, userId: index === 0 ? "alice" : "bob" };
    });
    expect(list.value).toHaveLength(3);
    expect(list.value).toEqual(expect.arrayContaining(expected));
    expect(await status("POST", `${group}/:send?excluded=${id(clients[1]!.id)}`, said("us"))).toBe(
      202,
    );
    await clients[0]!.hears("us");
    await clients[2]!.hears("us");
    expect(await status("DELETE", `${group}/connections/${id(clients[0]!.id)}`)).toBe(200);
    expect(await status("DELETE", `${hub}/connections/${id(clients[2]!.id)}/groups`)).toBe(200);
    const left = await (await ask("GET", `${group}/connections`)).json();
    expect(left).toEqual({ value: [expected[1]] });
    expect(clients[1]!.texts).toEqual([]);
    const gone = `${group}/connections/${"x".repeat(22)}%40relay%3Aany.0.0`;
    expect([await status("PUT", gone), await status("DELETE", gone)]).toEqual([404, 404]);
  });

  it("closes a group's connections, and nobody else's", async () => {
    const [alice, bob] = [await signalR("alice"), await signalR("bob")];
    const group = `${hub}/groups/closing${hub.length}`;
    expect(await status("PUT", `${group}/connections/${id(alice.id)}`)).toBe(200);
    expect(await status("POST", `${group}/:closeConnections`)).toBe(204);
    await alice.record(({ type }) => type === 7);
    await bob.call("join", "x");
  });

  it("says something to a user, finds them, and closes their connections", async () => {
    const [one, two, bob] = [await signalR("alice"), await signalR("alice"), await signalR("bob")];
    const user = `${hub}/users/alice`;
    expect(await status("HEAD", user)).toBe(200);
    expect(await status("POST", `${user}/:send`, said("alice"))).toBe(202);
    await Promise.all([one.hears("alice"), two.hears("alice")]);
    const closing = `${user}/:closeConnections?excluded=${id(two.id)}`;
    expect(await status("POST", closing)).toBe(204);
    await one.record(({ type }) => type === 7);
    await two.call("join", "x");
    expect(await status("POST", `${user}/:closeConnections`)).toBe(204);
    await two.record(({ type }) => type === 7);
    expect(await status("HEAD", user)).toBe(404);
    await bob.call("join", "x");
    expect(bob.texts).toEqual([]);
  });

  it("has users in groups across their connections", async () => {
    const name = `family${hub.length}`;
    const path = `${hub}/users/carol/groups/${name}`;
    const before = await signalR("carol");
    expect(await status("HEAD", path)).toBe(404);
    expect(await status("PUT", path)).toBe(200);
    expect(await status("HEAD", path)).toBe(200);
    const after = await signalR("carol");
    await status("POST", `${hub}/groups/${name}/:send`, said("both"));
    await Promise.all([before.hears("both"), after.hears("both")]);
    expect(await status("DELETE", path)).toBe(204);
    expect(await status("HEAD", path)).toBe(404);
    expect(await status("PUT", path)).toBe(200);
    expect(await status("DELETE", `${hub}/users/carol/groups`)).toBe(204);
    expect(await status("HEAD", path)).toBe(404);
    await status("POST", `${hub}/groups/${name}/:send`, said("nobody"));
    await status("POST", `${hub}/users/carol/:send`, said("end"));
    await Promise.all([before.hears("end"), after.hears("end")]);
    expect([before.texts, after.texts]).toEqual([
      ["both", "end"],
      ["both", "end"],
    ]);
  });

  it("commands those a filter selects", async () => {
    const [alice, anna, bob] = [await signalR("al"), await signalR("an"), await signalR("bo")];
    const filter = id("startswith(userId, 'a') and not (userId eq 'an')");
    const commands = [
      { type: "JoinGroup", group: `picked${hub.length}` },
      { type: "SendMessage", message: { target: "said", arguments: ["picked"] } },
    ];
    expect(await status("POST", `${hub}/:execute?filter=${filter}`, { body: commands })).toBe(202);
    await alice.hears("picked");
    const inGroup = id(`'picked${hub.length}' in groups`);
    const leave = [{ type: "LeaveGroup", group: `picked${hub.length}` }];
    const close = [{ type: "CloseConnection", reason: "picked" }];
    expect(
      await status("POST", `${hub}/:execute?filter=${inGroup}`, { body: [...leave, ...close] }),
    ).toBe(202);
    expect(await alice.record(({ type }) => type === 7)).toEqual({ type: 7, error: "picked" });
    await Promise.all([anna.call("join", "x"), bob.call("join", "x")]);
    expect([anna.texts, bob.texts]).toEqual([[], []]);
  });
});

it("answers for its health, and to nobody in particular", async () => {
  expect(await status("HEAD", "/health", { token: "" })).toBe(200);
});

it("reads MessagePack, and invocations in several encodings at once", async () => {
  const alice = await signalR("alice");
  const message = (text: string) => ({ target: "said", arguments: [text] });
  const type = "application/x-msgpack";
  expect(
    await status("POST", "/hubs/relayed/:send", { raw: encode(message("packed")), type }),
  ).toBe(202);
  const json = new TextEncoder().encode(`${JSON.stringify({ type: 1, ...message("both") })}\u001e`);
  const call = encode([1, {}, null, "said", ["binary"], []]);
  const binary = Uint8Array.from([call.length, ...call]);
  const octets = "application/octet-stream";
  for (const payload of [{ json, messagepack: binary }, { messagepack: binary }])
    expect(
      await status("POST", "/hubs/relayed/:send", { raw: encode(payload), type: octets }),
    ).toBe(202);
  await alice.hears("binary");
  expect(alice.texts).toEqual(["packed", "both", "binary"]);
});

it("reaches sockets attached straight to a room, wherever they are", async () => {
  const alice = await socket("chat/group:here", "alice");
  const path = `/hubs/chat/connections/${id(alice.hello.params.connectionId)}`;
  expect(await status("HEAD", path)).toBe(200);
  expect(await status("PUT", "/hubs/chat/users/alice/groups/beside")).toBe(200);
  expect(
    await status("POST", "/hubs/chat/groups/beside/:send", { body: { target: "beside" } }),
  ).toBe(202);
  expect((await alice.said("beside")).room).toBe("group:beside");
  expect(await status("POST", "/hubs/chat/users/alice/:closeConnections?reason=home")).toBe(204);
  expect(await alice.closed).toEqual({ code: 4510, reason: "home" });
});

it("takes the application as the hub's prefix", async () => {
  expect(await status("POST", "/hubs/chat/:send?application=other", said("x"))).toBe(404);
  const alice = await signalR("alice", "shop_chat");
  expect(await status("POST", "/hubs/chat/:send?application=Shop", said("x"))).toBe(202);
  await alice.hears("x");
});

it("pages through a group of sockets here and elsewhere, each once", async () => {
  await Promise.all(["a", "b", "c"].map((user) => socket("relayed/group:many", user)));
  for (const user of ["d", "e", "f", "g"]) {
    const { id: connection } = await signalR(user);
    const path = `/hubs/relayed/groups/many/connections/${id(connection)}`;
    expect(await status("PUT", path)).toBe(200);
  }
  for (const maxpagesize of [1, 2, 3, 7, 200]) {
    const users: string[] = [];
    let path: string | undefined =
      `/hubs/relayed/groups/many/connections?maxpagesize=${maxpagesize}`;
    while (path) {
      const response: Response = await ask("GET", path);
      const page = await response.json<{ value: { userId: string }[]; nextLink?: string }>();
      expect(page.value.length).toBeLessThanOrEqual(maxpagesize);
      users.push(...page.value.map(({ userId }) => userId));
      path = page.nextLink?.replace(/^.*\/api/, "");
    }
    expect(users.toSorted()).toEqual([..."abcdefg"]);
  }
  const top = await (
    await ask("GET", "/hubs/relayed/groups/many/connections?top=2")
  ).json<{ value: [] }>();
  expect(Object.keys(top)).toEqual(["value"]);
  expect(top.value).toHaveLength(2);
});

describe("Azure's management SDK", () => {
  it("writes a message in Pascal case", async () => {
    const alice = await signalR("alice");
    const body = { Target: "said", Arguments: ["pascal"] };
    expect(await status("POST", "/hubs/relayed/:send", { body })).toBe(202);
    await alice.hears("pascal");
    const both = { ...body, target: "said" };
    expect(await refusal(await ask("POST", "/hubs/relayed/:send", { body: both }))).toEqual([
      400,
      "malformed",
    ]);
  });

  it.each([
    ["HEAD", `connections/${id("nobody@relay:any.0.0")}`, "Warning.Connection.NotExisted"],
    ["HEAD", "users/nobody", "Warning.User.NotExisted"],
    ["HEAD", "groups/nobody", "Warning.Group.NotExisted"],
    ["GET", "users/nobody/groups/none", "Info.User.NotInGroup"],
    ["PUT", `groups/a/connections/${id("nobody@relay:any.0.0")}`, "Error.Connection.NotExisted"],
    ["DELETE", `groups/a/connections/${id("nobody@relay:any.0.0")}`, "Error.Connection.NotExisted"],
  ])("reads of %s %s that it does not exist, as %s", async (method, path, code) => {
    const response = await ask(method, `/hubs/relayed/${path}`);
    const { headers } = response;
    expect([response.status, headers.get("x-ms-error-code")]).toEqual([404, code]);
    expect(headers.get("x-dormouse-error")).toMatch(/^(connection_)?not_found$/);
    await response.body?.cancel();
  });

  it("learns of a hub that does not exist by our code", async () => {
    const response = await ask("HEAD", "/hubs/none/users/nobody");
    expect([response.status, response.headers.get("x-ms-error-code")]).toEqual([
      404,
      "hub_not_found",
    ]);
  });
});
