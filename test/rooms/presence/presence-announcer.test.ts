// Presence with its effects: rows on real SQLite, what is said and when. Timers and the clock are the test's.

import { describe, expect, it, vi } from "vitest";
import { HubError } from "../../../src/model/errors.ts";
import { DEFAULTS, LIMITS, type PresenceMode } from "../../../src/model/options.ts";
import { PresenceAnnouncer } from "../../../src/rooms/presence/presence-announcer.ts";
import type { Frame } from "../client.ts";
import { range, withStorage } from "../storage.ts";

function rosterOn(
  { sql }: Pick<DurableObjectStorage, "sql">,
  presence: PresenceMode = "users",
  now = 0,
) {
  const clock = { now };
  const said: [target: string, params: Frame["params"]][] = [];
  const armed: number[] = [];
  const changes: unknown[] = [];
  const due: [run: () => void, delayMs: number][] = [];
  const tickets: { error: HubError | null; isFinal?: boolean }[] = [];
  const roster = new PresenceAnnouncer({
    sql,
    settings: { ...DEFAULTS, presence, limits: { ...LIMITS, presencePage: 3 } },
    now: () => clock.now,
    arm: (at) => armed.push(at),
    publisher: {
      append: ({ target, params }) => {
        said.push([target, (JSON.parse(params) as unknown[])[0]]);
        const ticket = { error: null };
        tickets.push(ticket);
        return ticket;
      },
    },
    outbox: { flush: () => {} },
    changed: ({ joined: came, left }) => changes.push([came, left]),
    timer: (run, delayMs) => due.push([run, delayMs]),
  });
  const tick = () => due.shift()?.[0]();
  const pass = (ms: number) => roster.run((clock.now += ms));
  const flush = (error: HubError | null) => {
    for (const ticket of tickets.splice(0)) Object.assign(ticket, { error, isFinal: true });
  };
  return { roster, said, armed, changes, due, tick, pass, flush };
}

const rows = ({ sql }: DurableObjectStorage) =>
  sql
    .exec("SELECT user FROM present")
    .toArray()
    .map(({ user }) => user);
const joined = (...userIds: string[]) => userIds.map((userId) => ({ userId, since: 0 }));

describe("a roster", () => {
  it("forgets users of an earlier deploy where users are not shown any more", () =>
    withStorage((storage) => {
      rosterOn(storage).roster.addOwn("alice", 1);
      expect(rows(storage)).toEqual(["alice"]);
      const { roster, armed } = rosterOn(storage, "counts");
      roster.restore([]);
      expect([roster.users, armed, rows(storage)]).toEqual([0, [], []]);
    }));

  it("says the first join at once, and those of the pause together", () =>
    withStorage((storage) => {
      const { roster, said, changes, due, tick } = rosterOn(storage);
      for (const user of ["alice", "bob", "carol"]) roster.addOwn(user, 1);
      expect(said).toEqual([
        [
          "$/presence",
          { users: 1, connections: 1, joined: joined("alice"), left: [], more: false },
        ],
      ]);
      expect(due.map(([, delayMs]) => delayMs)).toEqual([1]);
      tick();
      expect(said[1]).toEqual([
        "$/presence",
        { users: 3, connections: 3, joined: joined("bob", "carol"), left: [], more: false },
      ]);
      tick();
      expect([said.length, due.length, changes]).toEqual([
        2,
        0,
        [
          [["alice"], []],
          [["bob", "carol"], []],
        ],
      ]);
      expect(rows(storage)).toEqual(["alice", "bob", "carol"]);
    }));

  it("pauses longer the more would hear it, and two seconds at most", () =>
    withStorage((storage) => {
      const { roster, due, tick } = rosterOn(storage);
      for (const n of range(1, 5_000)) roster.addOwn(`user-${n}`, 1);
      tick();
      expect(due[0]?.[1]).toBe(2_000);
    }));

  it("arms whole seconds for leaves, and says them together when they are due", () =>
    withStorage((storage) => {
      const { roster, said, armed, pass } = rosterOn(storage, "users", 300);
      roster.addOwn("alice", 1);
      roster.addOwn("alice", -1);
      expect([armed.at(-1), roster.due()]).toEqual([6_000, 6_000]);
      pass(4_900);
      expect(said.length).toBe(1);
      pass(800);
      expect(said[1]?.[1]).toEqual({
        users: 0,
        connections: 0,
        joined: [],
        left: ["alice"],
        more: false,
      });
      expect([rows(storage), roster.due()]).toEqual([[], undefined]);
    }));

  it("knows after a crash who was announced, and arms their leave", () =>
    withStorage((storage) => {
      const first = rosterOn(storage);
      first.roster.addOwn("alice", 1);
      first.roster.track("alice", { typing: true });
      const { roster, said, armed, pass } = rosterOn(storage, "users", 60_000);
      roster.restore([]);
      expect(roster.view({})).toMatchObject({ users: 1, members: [{ state: { typing: true } }] });
      expect([said, armed]).toEqual([[], [65_000]]);
      pass(5_000);
      expect([said.length, rows(storage)]).toEqual([1, []]);
    }));

  it("says nothing after a wake that finds all who were announced", () =>
    withStorage((storage) => {
      rosterOn(storage).roster.addOwn("alice", 1);
      const { roster, said, armed, due, pass } = rosterOn(storage, "users", 60_000);
      roster.restore([["", "alice", 1]]);
      pass(1e6);
      expect([said, armed, due]).toEqual([[], [], []]);
    }));

  it("announces after a wake whom a crash kept from being announced", () =>
    withStorage((storage) => {
      const { roster, said, tick } = rosterOn(storage);
      roster.restore([["relay", "alice", 1]]);
      expect(said).toEqual([]);
      tick();
      expect(said[0]?.[1].joined).toEqual(joined("alice"));
    }));

  it("[R6] goes on where its rows cannot be written", () =>
    withStorage((storage) => {
      const logged = vi.spyOn(console, "error").mockImplementation(() => {});
      const exec = (query: string, ...values: unknown[]) => {
        if (query.startsWith("INSERT")) throw new Error("The disk is full.");
        return storage.sql.exec(query, ...values);
      };
      const { roster, said } = rosterOn({ sql: { exec } as SqlStorage });
      roster.addOwn("alice", 1);
      expect([said.length, roster.view({}).users]).toEqual([1, 1]);
      logged.mockRestore();
    }));

  it("says all changes again that a flush could not save, in their order, and once", () =>
    withStorage((storage) => {
      const { roster, said, tick, pass, flush } = rosterOn(storage);
      const named = () =>
        said
          .splice(0)
          .map(([, { joined: came, left }]) => [
            came.map(({ userId }: { userId: string }) => userId),
            left,
          ]);
      roster.addOwn("carol", 1);
      tick();
      roster.addOwn("carol", -1);
      flush(null);
      pass(10_000); // Carol's grace is over, and alice comes before that is flushed.
      roster.addOwn("alice", 1);
      expect(named()).toEqual([
        [["carol"], []],
        [[], ["carol"]],
        [["alice"], []],
      ]);
      flush(new HubError("internal", "full"));
      tick();
      roster.addOwn("bob", 1);
      expect(named()).toEqual([[["alice", "bob"], ["carol"]]]);
      flush(null);
      tick();
      roster.addOwn("dave", 1);
      expect(named()).toEqual([[["dave"], []]]);
    }));

  it("says a join before the state that its user shows", () =>
    withStorage((storage) => {
      const { roster, said } = rosterOn(storage);
      roster.addOwn("alice", 1);
      roster.addOwn("bob", 1);
      roster.track("bob", "here");
      expect(
        said.map(
          ([, params]) =>
            params.tracked ?? params.joined.map(({ userId }: { userId: string }) => userId),
        ),
      ).toEqual([["alice"], ["bob"], [{ userId: "bob", state: "here" }]]);
    }));

  it("refuses the state of who is not there, and one that is too large in bytes", () =>
    withStorage((storage) => {
      const { roster } = rosterOn(storage);
      const refuses = (user: string, state: unknown, code: string) =>
        expect(() => roster.track(user, state)).toThrow(expect.objectContaining({ code }));
      refuses("alice", 1, "forbidden");
      roster.addOwn("alice", 1);
      refuses("alice", "日".repeat(341), "too_large");
      roster.track("alice", "日".repeat(340));
    }));
});

describe("a roster of counts", () => {
  it("says how many, names nobody, keeps no rows and calls no hooks", () =>
    withStorage((storage) => {
      const { roster, said, changes, tick, pass } = rosterOn(storage, "counts");
      for (const user of ["alice", "bob"]) roster.addOwn(user, 1);
      tick();
      roster.addOwn("bob", -1);
      pass(6_000);
      expect(said).toEqual([
        ["$/presence", { users: 1, connections: 1 }],
        ["$/presence", { users: 2, connections: 2 }],
        ["$/presence", { users: 1, connections: 1 }],
      ]);
      expect([rows(storage), changes]).toEqual([[], []]);
      expect(roster.view({})).toEqual({ users: 1, connections: 1, members: [], more: false });
      expect(() => roster.track("alice", 1)).toThrow(
        expect.objectContaining({ code: "forbidden" }),
      );
    }));

  it("says nothing after a wake", () =>
    withStorage((storage) => {
      const { roster, said, due } = rosterOn(storage, "counts");
      roster.restore([["", "alice", 2]]);
      expect([said, due, roster.view({}).users]).toEqual([[], [], 1]);
    }));
});

describe("a roster of nothing", () => {
  it("says nothing, arms nothing, sets no timer and writes nothing", () =>
    withStorage((storage) => {
      const { roster, said, armed, due, changes } = rosterOn(storage, "none");
      for (const n of range(1, 5)) roster.addOwn(`user-${n}`, 1);
      roster.addOwn("user-1", -1);
      expect([said, armed, due, changes, rows(storage)]).toEqual([[], [], [], [], []]);
      expect([roster.connections, roster.users]).toEqual([4, 4]);
    }));
});
