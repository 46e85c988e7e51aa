// Rooms from services: positions, keys, history, presence, and rooms that forget.

import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { connected } from "../../rooms/relay/client.ts";
import { enter, roomAt } from "../../rooms/client.ts";
import { ask, refusal } from "./service.ts";

const at = (room: string) => `/hubs/relayed/rooms/${encodeURIComponent(room)}`;
// oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
const json = async (...asked: Parameters<typeof ask>): Promise<any> => (await ask(...asked)).json();
const say = (room: string, text: string, more: object = {}) =>
  json("POST", `${at(room)}/:publish`, { body: { target: "said", arguments: [text], ...more } });

describe("a publication", () => {
  it.each(["group:p", "order:p", "user:p", "all"])("has its position in %s", async (room) => {
    const [one, two] = [await say(room, "1"), await say(room, "2")];
    expect(one).toEqual({ epoch: expect.stringMatching(/^[0-9a-z]{9}$/), offset: 1 });
    expect(two).toEqual({ epoch: one.epoch, offset: 2 });
  });

  it("is said once under one key, and heard by whoever is not excluded", async () => {
    using alice = await enter("relayed/group:once");
    using bob = await enter("relayed/group:once", { user: "bob" });
    const excluded = [alice.hello.params.connectionId];
    const first = await say("group:once", "a", { idempotency_key: "k", excluded });
    expect(await say("group:once", "b", { idempotency_key: "k" })).toEqual(first);
    await say("group:once", "c");
    expect((await alice.said("said")).params).toEqual(["c"]);
    expect((await bob.said("said")).params).toEqual(["a"]);
    expect((await bob.said("said")).params).toEqual(["c"]);
  });

  it("keeps its key across sleep", async () => {
    const first = await say("group:sleeper", "a", { idempotency_key: "k" });
    await evictDurableObject(roomAt("relayed/group:sleeper"));
    expect(await say("group:sleeper", "a", { idempotency_key: "k" })).toEqual(first);
  });

  it("goes to several rooms, each with its outcome", async () => {
    const rooms = ["group:b1", "order:b2", "nobody:b3", "group:b1", ""];
    const body = { rooms, target: "said", idempotency_key: "k" };
    const { responses } = await json("POST", "/hubs/relayed/:broadcast", { body });
    const position = { result: { epoch: expect.any(String), offset: 1 } };
    const unknown = { error: { code: "room_kind_not_found", message: expect.any(String) } };
    expect(responses).toEqual([position, position, unknown, position, unknown]);
  });

  it.each([true, false])("comes in batches; all at once: %s", async (parallel) => {
    const room = `group:batch${parallel}`;
    const one = (name: string, target: string) => ({ publish: { room: name, target } });
    const commands = [one(room, "a"), one("x", "b"), one(room, "c")];
    const { replies } = await json("POST", "/hubs/relayed/:batch", {
      body: { commands, parallel },
    });
    expect(replies).toMatchObject([
      { publish: { offset: 1 } },
      { error: { code: "room_kind_not_found" } },
      { publish: { offset: 2 } },
    ]);
  });

  it.each([true, false])(
    "of several rooms keep each room's order; all at once: %s",
    async (parallel) => {
      const [a, b] = [`group:runs-a${parallel}`, `order:runs-b${parallel}`];
      const one = (room: string, key: string) => ({
        publish: { room, target: "said", arguments: [key], idempotency_key: key },
      });
      const commands = [
        one(a, "1"),
        one(a, "2"),
        one(b, "3"),
        one(a, "4"),
        one(a, "2"),
        one(b, "5"),
      ];
      const { replies } = await json("POST", "/hubs/relayed/:batch", {
        body: { commands, parallel },
      });
      const offsets = replies.map((reply: { publish: { offset: number } }) => reply.publish.offset);
      expect(offsets).toEqual([1, 2, 1, 3, 2, 2]);
      const { publications } = await json("GET", `${at(a)}/history`);
      const said = publications.map((entry: { arguments: string[] }) => entry.arguments[0]);
      expect(said).toEqual(["1", "2", "4"]);
    },
  );
});

describe("history", () => {
  it("is the newest, what came after, or either way round", async () => {
    const { epoch } = await say("group:h", "1");
    for (const text of ["2", "3", "4"]) await say("group:h", text);
    const texts = async (query: string) => {
      const { publications } = await json("GET", `${at("group:h")}/history?${query}`);
      return publications.map((one: { arguments: string[] }) => one.arguments[0]).join("");
    };
    expect(await texts("")).toBe("1234");
    expect(await texts("limit=2")).toBe("34");
    expect(await texts("limit=2&reverse=true")).toBe("43");
    expect(await texts(`since=${epoch}:1&limit=2`)).toBe("23");
    expect(await texts(`since=${epoch}:4`)).toBe("");
    const page = await json("GET", `${at("group:h")}/history?limit=1`);
    expect(page).toEqual({
      ...{ epoch, offset: 4 },
      publications: [{ offset: 4, target: "said", arguments: ["4"], at: expect.any(Number) }],
    });
  });

  it("says where it no longer reaches", async () => {
    await say("group:gone", "1");
    const path = `${at("group:gone")}/history?since=`;
    expect(await refusal(await ask("GET", `${path}other0000:1`))).toEqual([410, "history_gone"]);
    expect(await refusal(await ask("GET", `${path}nowhere`))).toEqual([400, "invalid_position"]);
  });

  it("is forgotten, and the numbers go on, for members here and elsewhere", async () => {
    using alice = await enter("relayed/group:forget");
    using bob = await connected("relayed", { user: "bob" });
    await bob.call("Join", "forget");
    const first = await say("group:forget", "before", { idempotency_key: "k" });
    await alice.said("said");
    expect((await ask("DELETE", `${at("group:forget")}/history`)).status).toBe(204);
    await evictDurableObject(roomAt("relayed/group:forget"));
    const empty = await json("GET", `${at("group:forget")}/history`);
    expect(empty.publications).toEqual([]);
    expect(empty.epoch).toBe(first.epoch);
    const since = `${at("group:forget")}/history?since=${first.epoch}:`;
    expect(await refusal(await ask("GET", `${since}0`))).toEqual([410, "history_gone"]);
    const next = await say("group:forget", "after", { idempotency_key: "k" });
    expect(next).toEqual({ epoch: first.epoch, offset: empty.offset + 1 });
    expect((await alice.said("said")).position).toBe(`${next.epoch}:${next.offset}`);
    await bob.record((one) => one.target === "Said" && one.arguments![0] === "after");
    const after = await json("GET", `${since}${empty.offset}`);
    expect(after.publications).toHaveLength(1);
    expect((await ask("DELETE", `${at("group:never-used")}/history`)).status).toBe(204);
  });
});

describe("presence", () => {
  it("says who and how many, page by page", async () => {
    using alice = await enter("relayed/group:who");
    using again = await enter("relayed/group:who");
    using bob = await connected("relayed", { user: "bob" });
    await bob.call("Join", "who");
    await alice.call("$/track", { state: { at: 1 } });
    await again.call("$/presence");
    const one = (user: string, clients: number, state: unknown) => {
      return { user, since: expect.any(Number), num_clients: clients, state };
    };
    const counts = { num_clients: 3, num_users: 2 };
    const all = await json("GET", `${at("group:who")}/presence`);
    const presence = [one("alice", 2, { at: 1 }), one("bob", 1, null)];
    expect(all).toEqual({ presence, more: false, ...counts });
    const page = await json("GET", `${at("group:who")}/presence?limit=1`);
    expect(page).toEqual({ presence: presence.slice(0, 1), more: true, ...counts });
    const rest = await json("GET", `${at("group:who")}/presence?after=alice`);
    expect(rest.presence).toEqual(presence.slice(1));
    expect(await json("GET", `${at("group:who")}/presence_stats`)).toEqual(counts);
  });
});

describe("a room that is erased", () => {
  it("begins anew, and tells everybody; who comes back recovers nothing of before", async () => {
    using alice = await enter("relayed/group:erased");
    using bob = await connected("relayed", { user: "bob" });
    await bob.call("Join", "erased");
    using carol = await enter("relayed/group:other", { user: "carol" });
    expect(await carol.call("$/join", { room: "group:erased" })).toMatchObject({ result: {} });
    const before = await say("group:erased", "before");
    await Promise.all([alice.said("said"), carol.said("said")]);
    const erased = await json("DELETE", at("group:erased"));
    expect(erased).toEqual({ epoch: expect.any(String), offset: 0 });
    expect(erased.epoch).not.toBe(before.epoch);
    expect((await alice.said("$/reset")).room).toBe("group:erased");
    expect((await carol.said("$/reset")).room).toBe("group:erased");
    const after = await say("group:erased", "after");
    expect(after).toEqual({ epoch: erased.epoch, offset: 1 });
    for (const client of [alice, carol])
      expect((await client.said("said")).position).toBe(`${after.epoch}:1`);
    await bob.record((one) => one.target === "Said" && one.arguments![0] === "after");
    const since = `${before.epoch}:${before.offset}`;
    using again = await enter("relayed/group:erased", { user: "dan", since });
    expect(again.hello.params.recovered).toBe(false);
    await evictDurableObject(roomAt("relayed/group:erased"));
    const history = await json("GET", `${at("group:erased")}/history`);
    expect([history.epoch, history.publications.length]).toEqual([erased.epoch, 1]);
  });

  it("closes and moves connections of any kind of room", async () => {
    using alice = await enter("relayed/order:7", { claims: { role: "service" } });
    using bob = await connected("relayed", { user: "bob" });
    const path = `${at("order:7")}/connections/${encodeURIComponent(bob.id)}`;
    expect((await ask("PUT", path)).status).toBe(200);
    await say("order:7", "both");
    await bob.record(({ target }) => target === "Said");
    expect((await ask("POST", `${at("order:7")}/:closeConnections?reason=sold`)).status).toBe(204);
    expect(await alice.closed).toEqual({ code: 4510, reason: "sold" });
    expect(await bob.record(({ type }) => type === 7)).toEqual({ type: 7, error: "sold" });
    expect(await refusal(await ask("PUT", `${at("all")}/connections/x`))).toEqual([
      400,
      "invalid_name",
    ]);
  });
});
