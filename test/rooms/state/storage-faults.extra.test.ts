// [F4] Each call to storage fails, one after another, in a small life of a room with state: callers of that flush get
// an error, the state goes back to what was saved, and the next run works.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { applyPatch } from "../../../src/model/merge-patch.ts";
import { release, steering } from "../../support/steered-hub.ts";
import { enter, roomAt, type Client } from "../client.ts";

/** Counts statements and keys that are written or read, and lets one fail: `at` is its number. */
const faults = { calls: 0, at: Infinity, hasFailed: false, site: "" };

beforeAll(() =>
  runInDurableObject(roomAt("steered/group:patched"), (_, { storage }) => {
    const owners = { exec: storage.sql, put: storage.kv, transactionSync: storage };
    for (const [name, owner] of Object.entries(owners)) {
      const prototype = Object.getPrototypeOf(owner) as Record<
        string,
        (...args: never[]) => unknown
      >;
      const real = prototype[name]!;
      prototype[name] = function call(this: unknown, ...args: never[]) {
        faults.calls += 1;
        if (faults.calls !== faults.at) return real.apply(this, args);
        faults.hasFailed = true;
        faults.site = `${name} ${String(args[0]).slice(0, 60)}`;
        throw new Error("SQLITE_FULL: database or disk is full.");
      };
    }
  }),
);
beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  faults.at = Infinity;
  release();
  vi.restoreAllMocks();
});

const user = { id: "svc", tenant: "default", roles: [], claims: {}, caps: [], channels: [] };
const act = async (name: string, action: string, ...args: unknown[]): Promise<boolean> => {
  const run = { action, args: JSON.stringify(args), user: { ...user, expiresAt: Infinity } };
  try {
    return !("fault" in (await roomAt(name).runAction(run)));
  } catch {
    return false;
  }
};
const countOf = async (name: string) => {
  const whole = await roomAt(name).wholeState();
  return "fault" in whole ? whole.fault : (JSON.parse(whole.text) as { count: number }).count;
};
/** Rows of a table of the hub's own, where it has one. */
const marksOf = (name: string) =>
  runInDurableObject(roomAt(name), (_, { storage: { sql } }) => {
    const made = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'marks'").toArray();
    return made.length === 0 ? 0 : sql.exec("SELECT 1 FROM marks").toArray().length;
  });

/** What a room does; each adds one. */
const ACTIONS: Readonly<Record<string, (name: string) => Promise<boolean>>> = {
  add: (name) => act(name, "add", 1),
  tell: (name) => act(name, "tell", "elsewhere"),
};
const MARK = (name: string) => act(name, "mark");

/** Gives how many actions were done. */
async function live(name: string, actions: readonly ((name: string) => Promise<boolean>)[]) {
  let done = 0;
  for (const first of actions)
    // Two in one flush.
    for (const isDone of await Promise.all([first(name), act(name, "add", 1)]))
      done += Number(isDone);
  return done;
}

const LIVES = [
  ["odd", Object.values(ACTIONS)],
  ["odd-short", Object.values(ACTIONS)],
  ["steered", [...Object.values(ACTIONS), MARK]],
] as const;

describe.each(LIVES)("a room of %s", (hub, actions) => {
  it(
    "[ST3][F4] keeps what was answered, and nothing else, whichever call fails",
    { timeout: 60_000 },
    async () => {
      let tried = 0;
      const marks: number[] = [];
      for (let at = 1; ; at++) {
        const name = `${hub}/group:${crypto.randomUUID()}`;
        Object.assign(faults, { calls: 0, at, hasFailed: false });
        const done = await live(name, actions);
        if (!faults.hasFailed) break;
        faults.at = Infinity;
        const about = `call ${at}: ${faults.site}`;
        expect(await countOf(name), `${about}`).toBe(done);
        expect(await act(name, "add", 1), `${about}`).toBe(true);
        await evictDurableObject(roomAt(name));
        expect(await countOf(name), `${about}, after a wake`).toBe(done + 1);
        marks.push(await marksOf(name));
        tried += 1;
      }
      expect(tried).toBeGreaterThan(8);
      expect(Math.max(...marks)).toBeLessThan(2);
    },
  );
});

/** The copy of a client, by what it has heard. */
const copyOf = ({ heard, hello }: Client): unknown =>
  heard
    .filter(({ method }) => method === "$/state")
    .reduce<unknown>(
      (copy, { params }) => ("state" in params ? params.state : applyPatch(copy, params.patch)),
      hello.params.state,
    );

it("[F4][F16] a migration that cannot be saved at first reaches clients all the same", async () => {
  let tried = 0;
  for (let at = 1, isOver = false; !isOver; at++) {
    const name = `steered/group:${crypto.randomUUID()}`;
    using alice = await enter(name);
    await act(name, "add", 3);
    steering.migrations = [(old) => ({ ...(old as object), label: "new" })];
    await evictDurableObject(roomAt(name));
    Object.assign(faults, { calls: 0, at, hasFailed: false });
    await act(name, "add", 1);
    isOver = !faults.hasFailed;
    tried += Number(faults.hasFailed);
    faults.at = Infinity;
    expect(await act(name, "add", 1)).toBe(true);
    const whole = (await roomAt(name).wholeState()) as { text: string };
    const about = `call ${at}: ${faults.site}`;
    await expect.poll(() => copyOf(alice), { message: about }).toEqual(JSON.parse(whole.text));
    release();
  }
  expect(tried).toBeGreaterThan(3);
});
