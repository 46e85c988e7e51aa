// `$/refresh`: what a fresh token leaves a live connection in, and what it takes from it.

import { evictDurableObject } from "cloudflare:test";
import { expect, it, onTestFinished } from "vitest";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { Client, enter, roomAt, token, upgrade } from "../../rooms/client.ts";
import { hold } from "../../rooms/replaced.ts";
import { relayOf } from "../../rooms/relay/client.ts";

type Claims = Record<string, unknown>;

const admitting = (...rooms: string[]): Claims => ({
  caps: [{ channels: rooms, allow: ["sub"] }],
});
const say = (room: string, word: string, hub = "closed") =>
  roomAt(`${hub}/${room}`).publish({ target: "said", params: JSON.stringify([word]) });
const words = (client: Client) => client.messages("said").map(({ params }) => params[0] as string);
const heard = (client: Client, word: string) =>
  client.heardFrame(({ method, params }) => method === "said" && params[0] === word);
const left = (client: Client) => client.messages("$/left").map(({ params }) => params);
const code = async (called: ReturnType<Client["call"]>) => (await called).error?.data.code;

/** On one socket for the whole of a hub where only tokens open rooms. */
async function rpc(claims: Claims = {}, hub = "closed"): Promise<Client> {
  const access = await token("alice", claims);
  const response = await upgrade(`/hubs/${hub}/rpc?arrays=1&access_token=${access}`);
  const client = new Client(response.webSocket!);
  onTestFinished(() => client[Symbol.dispose]());
  client.hello = await client.next(({ method }) => method === "$/connected");
  return client;
}

const refresh = async (client: Client, claims: Claims, user = "alice") =>
  client.call("$/refresh", { token: await token(user, claims) });

it("takes a connection out of what its client joined and the new token does not admit, and tells it", async () => {
  const [kept, taken] = ["group:d1", "group:d2"];
  const alice = await rpc(admitting(kept, taken));
  for (const room of [kept, taken]) await alice.call("$/join", { room });
  const { result } = await refresh(alice, admitting(kept));
  expect(result).toEqual({ expiresAt: expect.any(Number) });
  expect(left(alice)).toEqual([{ room: taken, reason: "forbidden" }]);
  await say(taken, "taken");
  await say(kept, "kept");
  await heard(alice, "kept");
  expect(words(alice)).toEqual(["kept"]);
  const empty: RoomRpc = roomAt(`closed/${taken}`);
  expect((await empty.presence({})).connections).toBe(0);
  // The client shows it as the error of that room: with what to do about it, as where a connection is refused.
  expect((await alice.call("$/join", { room: taken })).error).toMatchObject({
    message: "This room is not for this user.",
    data: { code: "forbidden", action: expect.stringContaining("without `enter` is closed") },
  });
});

it("leaves it in what hub code joined, also where its client or token had joined before", async () => {
  const [asked, named, hubs] = ["group:h1", "group:h2", "group:h3"];
  const alice = await rpc({ ...admitting(asked), channels: [named] });
  await alice.call("$/join", { room: asked });
  for (const name of ["h1", "h2", "h3"]) await alice.call("join", [name]);
  await alice.call("$/join", { room: asked });
  await refresh(alice, {});
  expect(left(alice)).toEqual([]);
  for (const room of [asked, named, hubs]) await say(room, room);
  for (const room of [asked, named, hubs]) await heard(alice, room);
});

it("joins what the new token names, and keeps what it names still or admits", async () => {
  const [old, both, fresh] = ["group:c1", "group:c2", "group:c3"];
  const alice = await rpc({ channels: [old, both] });
  await refresh(alice, { channels: [both, fresh] });
  expect(left(alice)).toEqual([{ room: old, reason: "forbidden" }]);
  await refresh(alice, { ...admitting(both), channels: [fresh] });
  for (const room of [old, both, fresh]) await say(room, room);
  for (const room of [both, fresh]) await heard(alice, room);
  expect(words(alice).toSorted()).toEqual([both, fresh]);
  expect(left(alice)).toHaveLength(1);
});

it("remembers across sleep who put it where", async () => {
  const [named, hubs] = ["group:s1", "group:s2"];
  const alice = await rpc({ channels: [named] });
  await alice.call("join", ["s2"]);
  await evictDurableObject(relayOf("closed", alice.hello.params.connectionId));
  await refresh(alice, {});
  expect(left(alice)).toEqual([{ room: named, reason: "forbidden" }]);
  await say(hubs, "still");
  await heard(alice, "still");
});

it("answers and then closes with 4505 where the room or hub it came for is not admitted any more", async () => {
  const inRoom = await enter("closed/group:p1", { claims: admitting("group:p1") });
  expect(await code(refresh(inRoom, {}))).toBe("forbidden");
  expect(await inRoom.closed).toEqual({
    code: 4505,
    reason: "The token does not admit this room or hub.",
  });
  const claims = { role: "Admin" };
  const response = await upgrade(`/hubs/admin/rpc?access_token=${await token("alice", claims)}`);
  const inHub = new Client(response.webSocket!);
  expect(await code(refresh(inHub, {}))).toBe("forbidden");
  expect((await inHub.closed).code).toBe(4505);
});

it("does the same for a socket that a full room sent elsewhere", async () => {
  const claims = admitting("group:p2");
  const crowd = [];
  for (const user of ["a", "b", "c", "d"])
    crowd.push(await enter("full/group:p2", { user, claims }));
  const last = crowd.at(-1)!;
  expect(last.hello.params.connectionId).toContain("relay:");
  expect((await refresh(last, claims, "d")).error).toBeUndefined();
  await roomAt("full/group:p2").publish({ target: "said", params: '["still"]' });
  await heard(last, "still");
  for (const one of crowd) one[Symbol.dispose]();
});

it("a connection that another token of its user keeps is not touched", async () => {
  const [one, other] = [
    await rpc({ channels: ["group:o1"] }),
    await rpc({ channels: ["group:o1"] }),
  ];
  await refresh(one, {});
  await say("group:o1", "x");
  await heard(other, "x");
  expect([words(one), left(other)]).toEqual([[], []]);
});

it("of refreshes that come at once the last one counts, whole", async () => {
  const rooms = Array.from({ length: 10 }, (_, n) => `group:q${n}`);
  const alice = await rpc({ channels: rooms });
  const tokens = await Promise.all(
    [...rooms, rooms[0]!].map((room) => token("alice", { channels: [room] })),
  );
  await Promise.all(tokens.map((fresh) => alice.call("$/refresh", { token: fresh })));
  for (const room of rooms) await say(room, room);
  await heard(alice, rooms[0]!);
  await alice.call("sayAll", ["end"]);
  await heard(alice, "end");
  expect(words(alice)).toEqual([rooms[0], "end"]);
});

it("a join that the old token began, and whose policy takes its time, is judged by the new one", async () => {
  const alice = await rpc({ role: "Member" }, "doubtful");
  const joining = alice.call("$/join", { room: "group:slow" });
  expect((await refresh(alice, { role: "Guest" })).error).toBeUndefined();
  await alice.call("release", ["slow"]);
  expect(await code(joining)).toBe("forbidden");
  await refresh(alice, { role: "Member" });
  expect(await code(alice.call("$/join", { room: "group:slow" }))).toBeUndefined();
});

it("a join whose room is still being asked what was missed is given none of it", async () => {
  const room = "group:asked";
  const { epoch, offset } = await say(room, "before", "closed-parallel");
  await say(room, "secret", "closed-parallel");
  const alice = await rpc(admitting(room), "closed-parallel");
  const asked: RoomRpc = roomAt(`closed-parallel/${room}`);
  const { letGo } = await hold(`closed-parallel/${room}`, "missed");
  const joining = alice.call("$/join", { room, since: `${epoch}:${offset}` });
  await expect.poll(async () => (await asked.presence({})).connections).toBe(1);
  await refresh(alice, {});
  expect(left(alice)).toEqual([{ room, reason: "forbidden" }]);
  letGo();
  expect(await code(joining)).toBe("cancelled");
  expect(words(alice)).toEqual([]);
});

it("refuses tokens of others, expired ones and texts, and changes nothing by that", async () => {
  const alice = await rpc({ channels: ["group:n1"] });
  const expired = { exp: Math.floor(Date.now() / 1000) - 61 };
  expect(await code(refresh(alice, {}, "bob"))).toBe("forbidden");
  expect(await code(refresh(alice, { tid: "acme" }))).toBe("forbidden");
  expect(await code(refresh(alice, expired))).toBe("token_expired");
  expect(await code(refresh(alice, { limits: { callsPerSecond: 0 } }))).toBe("token_claim_invalid");
  expect(await code(alice.call("$/refresh", { token: "x" }))).toBe("token_malformed");
  await say("group:n1", "still here");
  await heard(alice, "still here");
  expect(left(alice)).toEqual([]);
});
