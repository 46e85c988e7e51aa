// Rooms whose report has failed: the stored list is bounded in names and in bytes, and leaves no room out after a wake.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { DEFAULTS } from "../../../src/model/options.ts";
import { FollowTable } from "../../../src/rooms/links/follow-tables.ts";

const LONG = "x".repeat(120);
const roomNames = (count: number) => Array.from({ length: count }, (_, n) => `group:${LONG}${n}`);

/** A table that another object of the same storage may open later, and the number of names written to its list. */
const inTable = (
  run: (table: FollowTable, state: { written: number; reopen(): FollowTable }) => void,
): Promise<void> =>
  runInDurableObject(
    env.ROOMS.getByName(`default/chat/group/${crypto.randomUUID()}`),
    (_, { storage }) => {
      const state = {
        written: 0,
        reopen: () => new FollowTable({ sql: storage.sql, kv }, DEFAULTS),
      };
      const kv = {
        get: storage.kv.get.bind(storage.kv),
        delete: storage.kv.delete.bind(storage.kv),
        put: (key: string, value: string[]) => {
          state.written += value.length;
          storage.kv.put(key, value);
        },
      } as unknown as typeof storage.kv;
      run(state.reopen(), state);
    },
  );

it("are named each while they are few, and trusted again one by one", () =>
  inTable((table, { reopen }) => {
    const [one, two, three] = roomNames(3) as [string, string, string];
    table.doubt(one);
    table.doubt(two);
    expect([one, two, three].map((room) => reopen().isUnsure(room))).toEqual([true, true, false]);
    table.trustAllBut(new Set([two, three]));
    expect([one, two, three].map((room) => reopen().isUnsure(room))).toEqual([false, true, false]);
    table.trustAllBut(new Set());
    expect(reopen().isUnsure(two)).toBe(false);
  }));

it("are every room once they are many: 8,000 that fail at once are written as few", () =>
  inTable((table, state) => {
    const rooms = roomNames(8_000);
    for (const room of rooms) table.doubt(room);
    expect(state.written).toBeLessThan(6_000);
    const later = state.reopen();
    expect([rooms[0]!, rooms.at(-1)!, "order:other"].map((room) => later.isUnsure(room))).toEqual(
      Array(3).fill(true),
    );
  }));

it("are named again when most of them have their report", () =>
  inTable((table, { reopen }) => {
    const rooms = roomNames(300);
    for (const room of rooms) table.doubt(room);
    table.trustAllBut(new Set(rooms.slice(0, 200)));
    expect(reopen().isUnsure(rooms[299]!)).toBe(true);
    table.trustAllBut(new Set(rooms.slice(0, 2)));
    expect(rooms.slice(0, 3).map((room) => reopen().isUnsure(room))).toEqual([true, true, false]);
  }));
