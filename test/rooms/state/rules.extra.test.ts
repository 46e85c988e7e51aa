// Rules of actions that stand for themselves: the order of a run's steps, its time, and what an idle state costs.

import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import type { RoomParts } from "../../../src/rooms/room/room-parts.ts";
import { startAnew, steps } from "../../support/stepwise-hub.ts";
import { release, steering } from "../../support/steered-hub.ts";
import { Client, enter, roomAt, token, upgrade } from "../client.ts";
import { unlessRefused } from "../../../src/rooms/rpc/fault.ts";
import type { MissedView } from "../../../src/rooms/rpc/log-entry.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  startAnew();
  release();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const room = (hub: string) => `${hub}/group:${crypto.randomUUID()}`;
const topicOf = (name: string) => name.slice(name.indexOf("/") + 1);

async function onHub(name: string): Promise<Client> {
  const access = await token("alice");
  const client = new Client(
    (await upgrade(`/hubs/stepwise/rpc?access_token=${access}`)).webSocket!,
  );
  await client.call("$/join", { room: topicOf(name) });
  return client;
}

const SOCKETS = [
  ["the room", enter, ["hub", "policy", "arguments", "run", "state", "commit"]],
  ["the hub", onHub, ["hub", "policy", "enter", "arguments", "run", "state", "commit"]],
] as const;
const CODES: Readonly<Record<string, string>> = {
  ...{ hub: "no_hub", policy: "no_policy", enter: "no_enter", run: "no_run" },
  ...{ arguments: "invalid_arguments", state: "invalid_state", commit: "internal" },
};

describe.each(SOCKETS)("a run on a socket of %s", (_, open, order) => {
  const acting = (name: string) => ({ room: topicOf(name), action: "act", params: ["x"] });

  it("[ST1] passes each step once, in this order, and is answered behind its effects", async () => {
    const name = room("stepwise");
    using alice = await open(name);
    await alice.call("$/run", { ...acting(name), action: "quiet" });
    const { length } = alice.heard;
    startAnew();
    expect((await alice.call("$/run", acting(name))).error).toBeUndefined();
    expect(steps.passed).toEqual(order);
    const heard = alice.heard.slice(length).map(({ method }) => method ?? "answer");
    expect(heard.filter((one) => one !== "$/presence")).toEqual(["$/state", "said", "answer"]);
  });

  it("[ST1] that is wrong in several ways fails with the earliest, and changes nothing", async () => {
    const name = room("stepwise");
    using alice = await open(name);
    await alice.call("$/run", acting(name));
    for (const [at, step] of order.entries()) {
      Object.assign(steps, { passed: [], failing: new Set(order.slice(at)) });
      const { error } = await alice.call("$/run", acting(name));
      expect([step, error?.data.code]).toEqual([step, CODES[step]]);
      expect([step, steps.passed]).toEqual([step, order.slice(0, at + 1)]);
    }
    startAnew();
    const whole = (await roomAt(name).wholeState()) as { text: string };
    expect(JSON.parse(whole.text)).toMatchObject({ count: 1 });
  });

  it("[ST1] is refused for its size, then its form, then its name, before anything is asked", async () => {
    const name = room("stepwise");
    using alice = await open(name);
    Object.assign(steps, { passed: [], failing: new Set(order) });
    const whole = { jsonrpc: "2.0", id: 1, method: "$/run" };
    const cut = JSON.stringify({ ...whole, params: { ...acting(name), action: "none" } }).slice(1);
    alice.send(cut + "x".repeat(LIMITS.messageBytes));
    alice.send(cut);
    const unknown = await alice.call("$/run", { ...acting(name), action: "none" });
    const codes = alice.heard.flatMap(({ error }) => (error ? [error.data.code] : []));
    expect(codes).toEqual(["too_large", "malformed", "method_not_found"]);
    expect([unknown.error?.data.code, steps.passed]).toEqual(["method_not_found", []]);
  });
});

it("[ST9] an action has one `now`, the time of its entries, whatever the clock does meanwhile", async () => {
  const name = room("stepwise");
  using alice = await enter(name);
  const { position } = await roomAt(name).history({});
  vi.useFakeTimers({ toFake: ["Date"] });
  steps.during = () => void vi.setSystemTime(Date.now() + 5_000);
  const call = (id: number) => ({ jsonrpc: "2.0", id: `c${id}`, method: "act", params: ["x"] });
  alice.send([call(100), call(101), call(102)]);
  const results: readonly (readonly number[])[] = await Promise.all(
    [100, 101, 102].map(async (id) => (await alice.response(`c${id}`)).result),
  );
  expect(new Set(results.flat()).size).toBe(3);
  for (const [first, second] of results) expect(second).toBe(first);
  const { entries } = unlessRefused<MissedView>(await roomAt(name).missed(position));
  const timesOf = (target: string) =>
    entries.flatMap((entry) => (entry.target === target ? [entry.at] : []));
  expect(timesOf("said")).toEqual(results.map(([first]) => first));
  // One change for each flush, at the time of its first action.
  const changed = timesOf("$/state");
  expect(changed[0]).toBe(results[0]![0]);
  expect(results.flat()).toEqual(expect.arrayContaining(changed));
});

/** Statements of all objects from now on. */
async function recorded(name: string): Promise<string[]> {
  const statements: string[] = [];
  await runInDurableObject(roomAt(name), (_, { storage }) => {
    const prototype = Object.getPrototypeOf(storage.sql) as Pick<SqlStorage, "exec">;
    const { exec } = prototype;
    prototype.exec = function record(this: SqlStorage, ...args: Parameters<SqlStorage["exec"]>) {
      statements.push(args[0]);
      return exec.apply(this, args);
    } as SqlStorage["exec"];
    onTestFinished(() => void (prototype.exec = exec));
  });
  return statements;
}

const user = { id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
/** By RPC, without a socket. */
const act = (name: string, action: string, ...args: unknown[]) =>
  roomAt(name).runAction({
    ...{ action, args: JSON.stringify(args), user: { ...user, expiresAt: Infinity } },
  });
const alarmOf = (name: string) =>
  runInDurableObject(roomAt(name), (_, { storage }) => storage.getAlarm());

/** Its alarms ring until nothing is due within a minute. */
async function settle(name: string): Promise<void> {
  for (let due = await alarmOf(name); due !== null && due < Date.now() + 60_000;) {
    vi.setSystemTime(Math.max(Date.now(), due));
    await runDurableObjectAlarm(roomAt(name));
    due = await alarmOf(name);
  }
}

/** Of the state itself, or of answers of its runs. */
const readsIn = (statements: readonly string[]) =>
  statements.filter((text) => /^SELECT.*\bjson\b(?!\)).* FROM room_(?:state|runs)/.test(text));

describe("[ST12] an idle state", () => {
  it.each(["odd", "odd-behind", "odd-unlogged", "odd-view"])(
    "of %s is read on its first use after a wake, once, and not by the constructor",
    async (hub) => {
      const name = room(hub);
      vi.useFakeTimers({ toFake: ["Date"] });
      await act(name, "add", 3);
      // Its reports are sent: no alarm comes in between.
      await settle(name);
      const statements = await recorded(name);
      const reads = () => readsIn(statements);
      await evictDurableObject(roomAt(name));
      statements.length = 0;
      await roomAt(name).info();
      await roomAt(name).presence({});
      await roomAt(name).history({});
      expect([statements.length > 0, reads()]).toEqual([true, []]);
      expect(await act(name, "add", 1)).toMatchObject({ result: "4" });
      const { length } = reads();
      expect(length).toBeGreaterThan(0);
      await act(name, "add", 1);
      await roomAt(name).wholeState();
      expect(reads()).toHaveLength(length);
    },
  );

  it("is not read for an alarm that is another's", async () => {
    const name = room("odd");
    using alice = await enter(name);
    await act(name, "add", 3);
    const statements = await recorded(name);
    await evictDurableObject(roomAt(name));
    statements.length = 0;
    await runDurableObjectAlarm(roomAt(name));
    expect([statements.length > 0, readsIn(statements)]).toEqual([true, []]);
    expect((await alice.call("$/run", { action: "add", params: [1] })).result.result).toBe(4);
  });

  it("has no alarm but for its schedule", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const name = room("odd-unlogged");
    await act(name, "add", 1);
    await settle(name);
    expect(await alarmOf(name)).toBeNull();
    await act(name, "later", 3_600, 1);
    const at = Date.now() + 3_600_000;
    await settle(name);
    expect(await alarmOf(name)).toBe(at);
    vi.setSystemTime(at);
    await runDurableObjectAlarm(roomAt(name));
    await settle(name);
    expect(await alarmOf(name)).toBeNull();
  });

  it("has nothing due but while a change is not saved elsewhere", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    let [saves, isDown] = [0, true];
    steering.save = () => {
      saves += 1;
      if (isDown) throw new Error("The database is down.");
    };
    const name = room("steered");
    const due = () =>
      runInDurableObject(roomAt(name), (object) => {
        const { state } = (object as unknown as { parts: RoomParts }).parts;
        return state!.duty.due(Date.now());
      });
    const ring = async (seconds: number) => {
      vi.setSystemTime(Date.now() + seconds * 1_000);
      await runDurableObjectAlarm(roomAt(name));
    };
    await act(name, "add", 1);
    expect(await due()).toBe(Date.now() + 1_000);
    await ring(1);
    await expect.poll(due).toBe(Date.now() + 1_000);
    isDown = false;
    await ring(1);
    await expect.poll(due).toBeUndefined();
    expect(saves).toBe(2);
    await evictDurableObject(roomAt(name));
    await ring(60);
    expect([saves, await due()]).toEqual([2, undefined]);
  });
});
