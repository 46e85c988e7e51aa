// Rooms with state from services: reads, runs, schedules, and rooms as documents.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HubError } from "../../../src/model/errors.ts";
import { enter, roomAt } from "../../rooms/client.ts";
import { ask, refusal, serviceToken, type Asking } from "./service.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const named = () => `group:${crypto.randomUUID()}`;
const at = (room: string, hub = "odd") => `/hubs/${hub}/rooms/${encodeURIComponent(room)}`;
// oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
const json = async (...asked: Parameters<typeof ask>): Promise<any> => (await ask(...asked)).json();
const run = (room: string, action: string, args: unknown[] = [], more: Asking = {}) =>
  ask("POST", `${at(room)}/:run/${action}`, { body: { arguments: args }, ...more });
/** As miniflare does after an object's constructor. */
const NAME_TABLE = "__miniflare_do_name";
const keepName = (name: string) =>
  runInDurableObject(roomAt(name), (_, { storage: { sql } }) => {
    sql.exec(`CREATE TABLE ${NAME_TABLE} (id INTEGER PRIMARY KEY, name TEXT)`);
    sql.exec(`INSERT INTO ${NAME_TABLE} VALUES (1, ?)`, name);
  });
const stateOf = async (room: string, hub = "odd") =>
  (await json("GET", `${at(room, hub)}/state?whole=true`)).state;

describe("a state", () => {
  it("is read as clients see it, or whole, with its position as an entity tag", async () => {
    const room = named();
    const path = at(room, "odd-view");
    const body = { arguments: ["secret", 1] };
    const put = await json("POST", `${path}/:run/put`, { body });
    const view = await ask("GET", `${path}/state`);
    const tag = `"${put.epoch}:${put.offset}"`;
    expect(view.headers.get("etag")).toBe(tag);
    expect(await view.json()).toEqual({ state: { count: 0 }, ...position(put) });
    const whole = { notes: { secret: 1 }, count: 0 };
    expect(await json("GET", `${path}/state?whole=true`)).toEqual({
      ...{ state: whole, ...position(put) },
    });
    for (const one of [tag, `"e:0", W/${tag}`, "*"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after another
      const known = await ask("GET", `${path}/state`, { headers: { "if-none-match": one } });
      expect([known.status, await known.text()]).toEqual([304, ""]);
    }
    const other = await ask("GET", `${path}/state`, { headers: { "if-none-match": '"e:0"' } });
    expect(other.status).toBe(200);
    await other.body?.cancel();
  });

  it.each([
    ["odd-hidden", "group:x", 404],
    ["relayed", "group:x", 404],
    ["odd", "order:x", 404],
    ["odd", "nobody:x", 404],
  ])("of %s in %s is refused with %s", async (hub, room, status) => {
    const response = await ask("GET", `${at(room, hub)}/state`);
    expect((await refusal(response))[0]).toBe(status);
  });

  it("is erased with its schedule, at a new epoch", async () => {
    const room = named();
    const before = await (await run(room, "add", [3])).json<Ran>();
    await run(room, "later", [60, 1]);
    const erased = await json("DELETE", at(room));
    expect(erased.epoch).not.toBe(before.epoch);
    expect(await stateOf(room)).toEqual({ notes: {}, count: 0 });
    expect(await json("GET", `${at(room)}/schedule`)).toEqual({ schedule: [] });
  });
});

interface Ran {
  readonly result: unknown;
  readonly repeated: boolean;
  readonly epoch: string;
  readonly offset: number;
}

const position = ({ epoch, offset }: { epoch: string; offset: number }) => ({ epoch, offset });

describe("a run", () => {
  it("[ST3] is answered with its result and position, and seen by clients", async () => {
    const room = named();
    using alice = await enter(`odd/${room}`);
    const ran = await (await run(room, "add", [2])).json<Ran>();
    expect(ran).toEqual({
      ...{ result: 2, repeated: false, epoch: expect.any(String), offset: expect.any(Number) },
    });
    const added = await alice.said("added");
    expect(added.position).toBe(`${ran.epoch}:${ran.offset}`);
  });

  it("[ST4] is done once under a key of the body, or of the header", async () => {
    const room = named();
    const body = { arguments: [1], idempotency_key: "k" };
    const first = await json("POST", `${at(room)}/:run/add`, { body });
    const headers = { "idempotency-key": "k" };
    const again = await (await run(room, "add", [1], { headers })).json();
    expect(again).toEqual({ ...first, repeated: true });
    await evictDurableObject(roomAt(`odd/${room}`));
    expect(await (await run(room, "add", [1], { headers })).json()).toEqual(again);
    using user = await enter(`odd/${room}`, { user: "service" });
    const own = await user.call("$/run", { action: "add", params: [1], idempotencyKey: "k" });
    expect(own.result).toMatchObject({ result: 2, repeated: false });
  });

  it("with If-Match is done only where the room still stands there, else 412", async () => {
    const room = named();
    const first = await (await run(room, "add", [1])).json<Ran>();
    const tag = `"${first.epoch}:${first.offset}"`;
    const here = { headers: { "if-match": tag } };
    // As a proxy that compresses has made it of the state's.
    const weak = { headers: { "if-match": `W/${tag}` } };
    expect((await (await run(room, "add", [1], weak)).json<Ran>()).result).toBe(2);
    expect(await refusal(await run(room, "add", [1], weak))).toEqual([412, "conflict"]);
    expect(await refusal(await run(room, "add", [1], here))).toEqual([412, "conflict"]);
    const any = await run(room, "add", [1], { headers: { "if-match": "*" } });
    expect((await any.json<Ran>()).result).toBe(3);
    const none = await run(room, "add", [1], { headers: { "if-match": '"here"' } });
    expect(await refusal(none)).toEqual([400, "invalid_position"]);
  });

  it.each([
    ["half", [], [422, "no"]],
    ["promise", [], [500, "internal"]],
    ["date", [], [500, "invalid_state"]],
    ["add", ["one"], [400, "invalid_arguments"]],
    ["admin", [], [403, "forbidden"]],
    ["tick", [1], [404, "method_not_found"]],
    ["__proto__", [], [404, "method_not_found"]],
    ["add", ["x".repeat(300_000)], [413, "too_large"]],
  ])("[ST2][F23] of %s is refused as clients see it", async (action, args, expected) => {
    const room = named();
    expect(await refusal(await run(room, action, args))).toEqual(expected);
    expect(await stateOf(room)).toEqual({ notes: {}, count: 0 });
  });

  it("in a room of another kind says which", async () => {
    const { code, message } = await (await run("order:42", "add", [1])).json<HubError>();
    const text = "Hub odd has no such action in rooms of kind order.";
    expect([code, message]).toEqual(["method_not_found", text]);
  });

  it("is authorised by the policies of the action, with the roles of the token", async () => {
    const token = await serviceToken({ roles: ["service", "Admin"] });
    const done = await run(named(), "admin", [], { token });
    expect((await done.json<Ran>()).result).toBe("done");
  });

  it("that a policy refuses is no line of the log, since its service was admitted", async () => {
    expect(await refusal(await run(named(), "admin"))).toEqual([403, "forbidden"]);
    expect(vi.mocked(console.warn).mock.calls).toEqual([]);
  });

  it("has the user of its token, or the service's own, and no connection", async () => {
    const who = async (more: Asking) =>
      (await (await run(named(), "who", [], more)).json<Ran>()).result;
    expect(await who({ token: await serviceToken() })).toEqual([[], "shop", "undefined"]);
    expect(await who({})).toEqual([[], "service", "undefined"]);
  });
});

describe("a schedule", () => {
  it("is listed in its order, and cancelled by id, also after a sleep", async () => {
    const room = named();
    await run(room, "every", [60]);
    await run(room, "later", [10, 7]);
    const { schedule } = await json("GET", `${at(room)}/schedule`);
    expect(schedule).toMatchObject([
      { id: "tick", action: "tick", arguments: [7], failures: 0 },
      { id: "often", every: 60, arguments: [1] },
    ]);
    await evictDurableObject(roomAt(`odd/${room}`));
    expect((await ask("DELETE", `${at(room)}/schedule/tick`)).status).toBe(204);
    const gone = await ask("DELETE", `${at(room)}/schedule/tick`);
    expect(await refusal(gone)).toEqual([404, "not_found"]);
    await evictDurableObject(roomAt(`odd/${room}`));
    const rest = await json("GET", `${at(room)}/schedule`);
    expect(rest.schedule.map(({ id }: { id: string }) => id)).toEqual(["often"]);
  });
});

describe("a document", () => {
  it("of a room is put into another, with schedule and tables, and clients get it", async () => {
    const [from, to] = [named(), named()];
    const scans = (room: string) => at(room, "scans");
    for (const place of ["dock", "gate"])
      await json("POST", `${scans(from)}/:run/scan`, { body: { arguments: [place] } });
    const exported = await json("GET", `${scans(from)}/:export`);
    expect(exported).toEqual({
      ...{ version: 1, position: expect.stringMatching(/^\w+:\d+$/), state: { count: 2 } },
      schedule: [],
      tables: {
        scans: [
          { at: 1, place: "dock" },
          { at: 2, place: "gate" },
        ],
      },
    });
    using alice = await enter(`scans/${to}`);
    const put = await json("POST", `${scans(to)}/:import`, { body: exported });
    const change = await alice.said("$/state");
    expect(change).toMatchObject({
      ...{ params: { state: { count: 2 } }, position: `${put.epoch}:${put.offset}` },
    });
    await evictDurableObject(roomAt(`scans/${to}`));
    const places = await json("POST", `${scans(to)}/:run/places`, { body: {} });
    expect(places.result).toEqual(["dock", "gate"]);
    const again = await ask("POST", `${scans(to)}/:import`, { body: exported });
    expect(await refusal(again)).toEqual([409, "conflict"]);
  });

  it("with tables is put into a room that nobody was in", async () => {
    const [from, to, fork] = [named(), named(), named()];
    await json("POST", `${at(from, "scans")}/:run/scan`, { body: { arguments: ["dock"] } });
    const body = await json("GET", `${at(from, "scans")}/:export`);
    expect((await ask("POST", `${at(to, "scans")}/:import`, { body })).status).toBe(200);
    expect((await ask("POST", `${at(fork, "scans")}/:fork`, { body: { from } })).status).toBe(200);
    for (const room of [to, fork])
      expect((await json("GET", `${at(room, "scans")}/:export`)).tables).toEqual(body.tables);
  });

  it("leaves out the table that a local engine keeps in each object, also in older documents", async () => {
    const [from, to] = [named(), named()];
    for (const room of [from, to]) await keepName(`scans/${room}`);
    await json("POST", `${at(from, "scans")}/:run/scan`, { body: { arguments: ["dock"] } });
    const exported = await json("GET", `${at(from, "scans")}/:export`);
    expect(exported.tables).toEqual({ scans: [{ at: 1, place: "dock" }] });
    const body = { ...exported, tables: { ...exported.tables, [NAME_TABLE]: [{ id: 1 }] } };
    expect((await ask("POST", `${at(to, "scans")}/:import`, { body })).status).toBe(200);
    expect((await json("POST", `${at(to, "scans")}/:run/places`, { body: {} })).result).toEqual([
      "dock",
    ]);
    await json("DELETE", at(to, "scans"));
    expect((await ask("POST", `${at(to, "scans")}/:fork`, { body: { from } })).status).toBe(200);
  });

  it("has the schedule, which rings in the other room", async () => {
    const [from, to] = [named(), named()];
    await run(from, "later", [60, 5]);
    const exported = await json("GET", `${at(from)}/:export`);
    await json("POST", `${at(to)}/:import`, { body: exported });
    const { schedule } = await json("GET", `${at(to)}/schedule`);
    expect(schedule).toMatchObject([{ id: "tick", arguments: [5] }]);
  });

  it.each([
    ["a newer version", { version: 2 }, [503, "state_newer"]],
    ["another state", { state: { count: "two" } }, [400, "invalid_arguments"]],
    ["no state", { state: undefined }, [400, "invalid_arguments"]],
    ["a property that is null", { state: { count: 1, more: null } }, [400, "invalid_arguments"]],
    ["an unknown table", { tables: { log: [{ slot: 1 }] } }, [400, "invalid_arguments"]],
    ["an unknown column", { tables: { scans: [{ on: 1 }] } }, [400, "invalid_arguments"]],
    ["a row that is refused", { tables: { scans: [{ at: 1 }] } }, [400, "invalid_arguments"]],
    [
      "bytes that are none",
      { tables: { scans: [{ at: { base64: "?" } }] } },
      [400, "invalid_arguments"],
    ],
    [
      "an unknown action",
      { schedule: [{ id: "x", action: "x", args: [], at: 1, failures: 0 }] },
      [404, "method_not_found"],
    ],
  ])("[F9] with %s changes nothing", async (_, wrong, expected) => {
    const room = named();
    const good = { version: 1, position: "e:1", state: { count: 4 }, schedule: [], tables: {} };
    const path = `${at(room, "scans")}/:import`;
    expect(await refusal(await ask("POST", path, { body: { ...good, ...wrong } }))).toEqual(
      expected,
    );
    expect(await stateOf(room, "scans")).toEqual({ count: 0 });
    expect((await ask("POST", path, { body: good })).status).toBe(200);
    expect(await stateOf(room, "scans")).toEqual({ count: 4 });
  });
});

describe("a fork", () => {
  it("is the other room as it is, or where it stood", async () => {
    const [from, now, then] = [named(), named(), named()];
    await run(from, "later", [60, 1]);
    const early = await (await run(from, "add", [1])).json<Ran>();
    for (const by of [2, 3]) await run(from, "add", [by]);
    await ask("POST", `${at(now)}/:fork`, { body: { from } });
    expect(await stateOf(now)).toEqual({ notes: {}, count: 6 });
    expect((await json("GET", `${at(now)}/schedule`)).schedule).toHaveLength(1);
    const body = { from, at: `${early.epoch}:${early.offset}` };
    await ask("POST", `${at(then)}/:fork`, { body });
    expect(await stateOf(then)).toEqual({ notes: {}, count: 1 });
    expect((await json("GET", `${at(then)}/schedule`)).schedule).toEqual([]);
    expect(await refusal(await ask("POST", `${at(then)}/:fork`, { body: { from } }))).toEqual([
      ...[409, "conflict"],
    ]);
  });

  it("is the other room before messages that moved its checkpoint", async () => {
    const [from, then] = [named(), named()];
    await run(from, "add", [1]);
    const early = await (await run(from, "add", [1])).json<Ran>();
    const said = { target: "said", arguments: ["x"] };
    for (let n = 0; n < 70; n++) await ask("POST", `${at(from)}/:publish`, { body: said });
    await run(from, "add", [1]);
    const body = { from, at: `${early.epoch}:${early.offset}` };
    expect((await ask("POST", `${at(then)}/:fork`, { body })).status).toBe(200);
    expect(await stateOf(then)).toEqual({ notes: {}, count: 2 });
  });

  it("where the log no longer reaches is 410", async () => {
    const from = named();
    const early = await (await run(from, "add", [1])).json<Ran>();
    for (let n = 0; n < 70; n++) await run(from, "add", [1]);
    const fork = (then: string) =>
      ask("POST", `${at(named())}/:fork`, { body: { from, at: then } });
    const gone = await fork(`${early.epoch}:${early.offset}`);
    expect(await refusal(gone)).toEqual([410, "history_gone"]);
    expect(await refusal(await fork(`${early.epoch}:9999`))).toEqual([410, "history_gone"]);
    expect(await refusal(await fork("other0000:1"))).toEqual([410, "history_gone"]);
    expect((await fork(`${early.epoch}:142`)).status).toBe(200);
  });
});
