// What code of a hub, documents, clocks and losses at bad moments do to a room's state.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, refusal } from "../../edge/rest/service.ts";
import { Client, enter, roomAt, token, upgrade } from "../client.ts";
import { copyOf } from "./copy-of.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const room = () => `group:${crypto.randomUUID()}`;
const run = async (client: Client, action: string, ...params: unknown[]) => {
  const { result, error } = await client.call("$/run", { action, params });
  return result ? result.result : error!.data.code;
};
const rowsOf = (name: string, table: string) =>
  runInDurableObject(roomAt(name), (_, { storage }) =>
    storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );
async function onHub(hub: string, claims: Record<string, unknown> = {}): Promise<Client> {
  const access = await token("alice", claims);
  return new Client((await upgrade(`/hubs/${hub}/rpc?access_token=${access}`)).webSocket!);
}
const changesOf = ({ heard }: Client) =>
  heard.filter(({ method }) => method === "$/state").map(({ params }) => params);

describe("an action", () => {
  it.each([-5, 0, 1e15, 1e300])("[F17] schedules at %d, and the room goes on", async (time) => {
    const name = `odd/${room()}`;
    using alice = await enter(name);
    expect(await run(alice, "at", time)).toBeNull();
    expect(await run(alice, "add", 1)).toBe(1);
    await runDurableObjectAlarm(roomAt(name));
    expect(await run(alice, "add", 1)).toBe(time > 1 ? 2 : 3);
  });

  it.each([
    ["every", [0.5], "A period has 1 second at least."],
    ["every", ["* * * * * *"], '"* * * * * *" is not cron: it has five fields,'],
    ["every", ["0 25 * * *"], '"0 25 * * *" is not cron: it has five fields,'],
    ["every", ["0 0 31 2 *"], '"0 0 31 2 *" has no next time.'],
    ["at", ["2030-01-01"], "A schedule's time is invalid."],
    ["later", [-3, 1], "Seconds from now are zero or more."],
    ["later", [Number.MAX_VALUE, 1], "A schedule's time is invalid."],
    ["every", [1e306], "A schedule's time is invalid."],
  ])(
    "whose author schedules %s %j is an internal error, and logged",
    async (name, params, reason) => {
      const error = vi.spyOn(console, "error");
      using alice = await enter(`odd/${room()}`);
      expect(await run(alice, name, ...params)).toBe("internal");
      expect(error.mock.calls.map(([line]) => JSON.parse(line as string))).toMatchObject([
        { event: "call_failed", error: expect.stringContaining(`TypeError: ${reason}`) },
      ]);
    },
  );

  it("[F6] runs no SQL where the hub has no tables, since nothing would take it back", async () => {
    const name = `odd/${room()}`;
    using alice = await enter(name);
    expect(await run(alice, "query")).toBe("internal");
    expect(await run(alice, "add", 1)).toBe(1);
    await expect(rowsOf(name, "own")).rejects.toThrow("no such table");
  });
});

describe("a view that gives nothing", () => {
  it("[F20] is an error, and no frame that clients cannot read", async () => {
    await expect(enter(`odd-viewless/${room()}`)).rejects.toThrow("invalid_state");
  });
});

describe("a log that is written behind", () => {
  it("[ST2] has at once what an action wrote together with SQL", async () => {
    const name = `scans-behind/${room()}`;
    using alice = await enter(name);
    expect(await run(alice, "scan", "dock")).toBe(1);
    expect(await run(alice, "scan", "gate")).toBe(2);
    await runInDurableObject(roomAt(name), (_, state) => state.abort("A crash.")).catch(() => {});
    using bob = await enter(name, { user: "bob" });
    expect(bob.hello.params.state).toEqual({ count: 2 });
    expect(await run(bob, "places")).toEqual(["dock", "gate"]);
  });
});

describe("a run under a key", () => {
  it("[ST4] is known after a wake, however many checkpoints there were in ten minutes", async () => {
    const name = `odd-short/${room()}`;
    using alice = await enter(name);
    const keyed = async (n: number) =>
      (await alice.call("$/run", { action: "add", params: [1], idempotencyKey: `k${n}` })).result;
    for (let n = 1; n <= 300; n++) expect((await keyed(n)).result).toBe(n);
    const { length } = await rowsOf(name, "room_runs");
    expect(length).toBeLessThan(20);
    await evictDurableObject(roomAt(name));
    expect(await keyed(1)).toMatchObject({ result: 1, repeated: true });
    expect(await keyed(300)).toMatchObject({ result: 300, repeated: true });
    expect(await keyed(301)).toMatchObject({ result: 301, repeated: false });
  });
});

describe("runs under keys at once", () => {
  it.each(["odd", "odd-behind", "odd-unlogged"])(
    "[ST4] of %s are as many rows as their answers need",
    async (hub) => {
      const name = `${hub}/${room()}`;
      const user = { id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
      const args = JSON.stringify(["日".repeat(5_000)]);
      const echo = async (key: string) => {
        const asked = { action: "echo", args, key, user: { ...user, expiresAt: Infinity } };
        const ran = await roomAt(name).runAction(asked);
        return "fault" in ran ? ran.fault.code : ran.repeated;
      };
      const keys = Array.from({ length: 300 }, (_, n) => `k${n}`);
      const first = await Promise.all(keys.map(echo));
      expect(new Set(first)).toEqual(new Set([false]));
      await roomAt(name).history({});
      await evictDurableObject(roomAt(name));
      expect(await echo("k299")).toBe(true);
    },
  );
});

describe("a document", () => {
  const good = { version: 1, position: "e:1", state: { count: 4 }, schedule: [], tables: {} };
  const later = { id: "x", action: "tick", args: [1], at: 1, failures: 0 };
  const large = { action: "note", args: ["x".repeat(2_000)] };
  const noted = (more: object) => ({ notes: {}, count: 1, ...more });

  it.each([
    ["a number beyond 2^53", "odd", '{"notes":{"n":12345678901234567890},"count":1}', {}],
    ["a state that is too large", "odd", noted({ notes: { x: "x".repeat(300_000) } }), {}],
    ["large arguments", "odd", noted({}), { schedule: [{ ...later, ...large }] }],
    ["a period of nothing", "odd", noted({}), { schedule: [{ ...later, every: 0 }] }],
    ["no cron", "odd", noted({}), { schedule: [{ ...later, every: "soon" }] }],
    [
      "a row that names none",
      "scans-linked",
      { count: 1 },
      { tables: { gates: [{ name: "a", next: "b" }] } },
    ],
  ])("[F9] with %s is refused, and the room stays empty", async (_, hub, state, more) => {
    const name = room();
    const path = `/hubs/${hub}/rooms/${encodeURIComponent(name)}`;
    using alice = await enter(`${hub}/${name}`);
    const text = typeof state === "string" ? state : JSON.stringify(state);
    const whole = JSON.stringify({ ...good, ...more }).replace('{"count":4}', () => text);
    const refused = await ask("POST", `${path}/:import`, { raw: whole });
    expect(await refusal(refused)).toEqual([400, "invalid_arguments"]);
    expect(await (await ask("GET", `${path}/schedule`)).json()).toEqual({ schedule: [] });
    expect(changesOf(alice)).toEqual([]);
  });

  it("has the rows of all tables within its bound together, and no more of them is read", async () => {
    const name = room();
    using alice = await enter(`scans-linked/${name}`);
    await run(alice, "scan", "gate");
    await runInDurableObject(roomAt(`scans-linked/${name}`), (_, { storage }) => {
      const place = "hex(zeroblob(450000))";
      for (let n = 0; n < 10; n++) {
        storage.sql.exec(`INSERT INTO scans VALUES (?, ${place})`, n);
        storage.sql.exec(`INSERT INTO gates VALUES (? || ${place}, NULL)`, n);
      }
    });
    const path = `/hubs/scans-linked/rooms/${encodeURIComponent(name)}/:export`;
    const exported = await ask("GET", path);
    expect(exported.status).toBe(413);
    expect(await exported.text()).toContain("too many rows");
  });
});

describe("a member that has a state already", () => {
  it("[ST6] gets no other snapshot with a fresh token, and misses nothing meanwhile", async () => {
    const group = room();
    const claims = { channels: [group] };
    using alice = await onHub("odd", claims);
    await expect.poll(() => changesOf(alice).length).toBe(1);
    using bob = await enter(`odd/${group}`, { user: "bob" });
    for (let n = 1; n <= 20; n++) {
      const renewed = alice.call("$/refresh", { token: await token("alice", claims) });
      for (let k = 0; k < 5; k++) await run(bob, "add", 1);
      await renewed;
    }
    const added = () => alice.heard.filter(({ method }) => method === "added");
    await expect.poll(() => added().at(-1)?.params).toEqual([100]);
    expect(added()).toHaveLength(100);
    expect(changesOf(alice).filter((change) => "state" in change)).toHaveLength(1);
  });
});

describe("the room of a user", () => {
  it("[ST5] has a state, which the user's connections get before its changes", async () => {
    using alice = await onHub("wallets");
    expect((await alice.call("earn", [5])).result).toBe(5);
    expect((await alice.call("earned", [2])).result).toBe(7);
    await expect.poll(() => changesOf(alice).length).toBeGreaterThan(0);
    expect((await alice.call("earn", [1])).result).toBe(8);
    const changes = changesOf(alice);
    expect(Object.keys(changes[0]!)).toEqual(["state"]);
    await expect.poll(() => changesOf(alice).at(-1)).toEqual({ patch: { coins: 8 } });
  });
});

describe("a client", () => {
  it("[F23] runs nothing by the names of prototypes, nor what only the room runs", async () => {
    const group = room();
    using relayed = await onHub("odd");
    using own = await enter(`odd/${group}`);
    const names = ["then", "__proto__", "toString", "hasOwnProperty", "tick", "fail", "TICK"];
    for (const action of names) {
      const codes = [
        await run(own, action, 1),
        (await own.call(action, [1])).error?.data.code,
        (await relayed.call("$/run", { room: group, action, params: [1] })).error?.data.code,
        (await relayed.call(action, [group.slice("group:".length), 1])).error?.data.code,
      ];
      expect(new Set(codes), `${action}`).toEqual(new Set(["method_not_found"]));
      const path = `/hubs/odd/rooms/${encodeURIComponent(group)}/:run/${action}`;
      const asked = await ask("POST", path, { body: { arguments: [1] } });
      expect(await refusal(asked), `${action}`).toEqual([404, "method_not_found"]);
    }
    expect(await run(own, "add", 1)).toBe(1);
  });

  it("[ST11] that may not enter neither runs actions nor reads the state", async () => {
    const group = room();
    using alice = await onHub("odd-closed");
    const asked = [
      await alice.call("$/run", { room: group, action: "add", params: [1] }),
      await alice.call("$/snapshot", { room: group }),
      await alice.call("$/join", { room: group }),
      await alice.call("add", [group.slice("group:".length), 1]),
    ];
    expect(asked.map(({ error }) => error?.data.code)).toEqual(Array(4).fill("forbidden"));
    await expect(enter(`odd-closed/${group}`)).rejects.toThrow("forbidden");
  });

  it("[ST6] has the state of the new epoch after erasures among runs, in a relay and in the room", async () => {
    const group = room();
    using relayed = await onHub("odd", { channels: [group] });
    using own = await enter(`odd/${group}`);
    for (let n = 0; n < 10; n++) {
      const runs = Array.from({ length: 10 }, () => run(own, "add", 1));
      await Promise.all([...runs.slice(0, 5), roomAt(`odd/${group}`).erase(), ...runs.slice(5)]);
    }
    const count = await run(own, "add", 1);
    for (const client of [relayed, own])
      await expect.poll(() => copyOf(client)).toEqual({ notes: {}, count });
  });
});
