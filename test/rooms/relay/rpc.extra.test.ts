// A whole hub in JSON-RPC on one socket: joining, leaving, resuming several rooms, and what stock libraries expect.

import { evictDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { Client, enter, positionOf, roomAt, token, upgrade } from "../client.ts";
import { relayOf } from "./client.ts";

async function entered(hub: string, user = "alice", query = ""): Promise<Client> {
  const response = await upgrade(`/hubs/${hub}/rpc?access_token=${await token(user)}${query}`);
  if (!response.webSocket) throw new Error(`Refused: ${response.status} ${await response.text()}`);
  const client = new Client(response.webSocket);
  client.hello = await client.next((frame) => frame.method === "$/connected");
  return client;
}

const say = (room: string, word: string) =>
  roomAt(room).publish({ target: "said", params: JSON.stringify([word]) });
const words = (client: Client) => client.messages("said").map(({ params }) => params[0] as string);
const heard = (client: Client, word: string) =>
  client.heardFrame(({ method, params }) => method === "said" && params[0] === word);

it("joins the rooms that its policies open, hears them with their positions, and leaves", async () => {
  using alice = await entered("relayed");
  expect(alice.hello.params).toMatchObject({ userId: "alice", pingSeconds: 15 });
  const joined = await alice.call("$/join", { room: "group:rpc1" });
  expect(joined.result).toMatchObject({ recovered: false, replayed: 0 });
  expect((await alice.call("$/join", { room: "user:bob" })).error?.data.code).toBe("forbidden");
  expect((await alice.call("$/join", { room: "planet:x" })).error?.data.code).toBe(
    "room_kind_not_found",
  );
  await say("relayed/group:rpc1", "one");
  expect(await heard(alice, "one")).toMatchObject({ room: "group:rpc1" });
  expect((await alice.call("$/presence", { room: "group:rpc1" })).result.users).toBe(1);
  expect((await alice.call("$/history", { room: "group:rpc1" })).result.messages).toHaveLength(1);
  expect((await alice.call("$/history")).error?.data.code).toBe("invalid_arguments");
  await alice.call("$/leave", { room: "group:rpc1" });
  await say("relayed/group:rpc1", "two");
  await alice.call("sayAll", ["end"]);
  await heard(alice, "end");
  expect(words(alice)).toEqual(["one", "end"]);
});

it("resumes several rooms at once, each for itself, while others talk", async () => {
  const alice = await entered("relayed");
  for (const room of ["group:rpc2", "group:rpc3"]) await alice.call("$/join", { room });
  await say("relayed/group:rpc2", "a");
  await say("relayed/group:rpc3", "b");
  const stands = {
    "group:rpc2": (await heard(alice, "a")).position!,
    "group:rpc3": (await heard(alice, "b")).position!,
    "group:rpc4": "elsewhere:7",
    "user:bob": "elsewhere:7",
  };
  alice.socket.close(1001); // A page that loads again: its user has not left.
  await alice.closed;
  await say("relayed/group:rpc2", "c");
  await say("relayed/group:rpc3", "d");
  using again = await entered("relayed");
  const { result } = await again.call("$/resume", { rooms: stands });
  expect(result).toMatchObject({
    "group:rpc2": { recovered: true, replayed: 1 },
    "group:rpc3": { recovered: true, replayed: 1 },
    "group:rpc4": { recovered: false },
    "user:bob": { error: { code: "forbidden" } },
  });
  await say("relayed/group:rpc2", "e");
  await heard(again, "e");
  expect(words(again).toSorted()).toEqual(["c", "d", "e"]);
});

it("is in its rooms after sleep, and shares them with sockets of the rooms themselves", async () => {
  using alice = await entered("relayed");
  using bob = await enter("relayed/group:rpc5", { user: "bob" });
  await alice.call("$/join", { room: "group:rpc5" });
  await evictDurableObject(relayOf("relayed", alice.hello.params.connectionId));
  await bob.call("say", ["rpc5", "hello"]);
  expect(positionOf(await heard(alice, "hello"))).toEqual(positionOf(await heard(bob, "hello")));
});

it("takes one message a frame, unless it asks for arrays", async () => {
  using alice = await entered("relayed");
  using bob = await entered("relayed", "bob", "&arrays=1");
  const said = Array.from({ length: 5 }, (_, i) => alice.call("sayAll", [`${i}`]));
  await Promise.all([...said, heard(bob, "4"), heard(alice, "4")]);
  expect(alice.frames.every((frame) => frame.startsWith("{"))).toBe(true);
  alice.send([
    { jsonrpc: "2.0", id: "x", method: "whoami", params: [] },
    { jsonrpc: "2.0", id: "y", method: "whoami", params: [] },
  ]);
  await alice.response("y");
  expect(alice.frames.at(-1)!.startsWith("[")).toBe(true);
});

it("describes its hub as OpenRPC, from the schemas of its methods", async () => {
  using alice = await entered("relayed");
  const { result } = await alice.call("rpc.discover");
  expect(result).toMatchObject({ openrpc: "1.3.2", info: { title: "relayed" } });
  const join = result.methods.find(({ name }: { name: string }) => name === "join");
  expect(join.params[0].schema).toMatchObject({ type: "string" });
});

it("is refused like other hubs", async () => {
  const query = `access_token=${await token("alice")}`;
  expect((await upgrade(`/hubs/none/rpc?${query}`)).status).toBe(404);
  expect((await upgrade(`/hubs/admin/rpc?${query}`)).status).toBe(403);
  expect((await upgrade(`/hubs/relayed/rpc?${query}`, { upgrade: "" })).status).toBe(426);
});

it("hears live messages up to a history's position before the answer, and later ones after it", async () => {
  using alice = await entered("relayed");
  const room = "group:rpc-history";
  await alice.call("$/join", { room });
  for (let i = 0; i < 20; i += 1) {
    const said = say(`relayed/${room}`, `${i}`);
    const { result } = await alice.call("$/history", { room });
    const live = words(alice).length;
    expect(live).toBe(result.messages.length);
    await said;
    await heard(alice, `${i}`);
  }
});
