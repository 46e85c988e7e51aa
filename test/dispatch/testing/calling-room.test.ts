// A room with state in memory, as tests of user code have it.

import { describe, expect, it } from "vitest";
import { callingRoom } from "../../../src/dispatch/testing/testing.ts";
import * as z from "zod";
import { action, hub, HubError, internal } from "../../../src/hub.ts";
import { AuctionHub } from "../../support/state-hubs.ts";

describe("callingRoom", () => {
  it("runs actions of several callers, and records patches, messages and schedules", async () => {
    const alice = callingRoom(AuctionHub, { user: { id: "alice" }, room: "group:vase" });
    const bob = alice.as({ id: "bob" });
    expect(await alice.run.bid(10)).toBe(10);
    expect(await bob.run.bid(20)).toBe(20);
    await expect(alice.run.bid(15)).rejects.toMatchObject({ code: "too_low" });
    expect(alice.state).toEqual({ item: "vase", price: 20, leader: "bob", sold: false });
    expect(alice.view).toEqual(alice.state);
    expect(alice.patches).toEqual([
      { price: 10, leader: "alice" },
      { price: 20, leader: "bob" },
    ]);
    expect(alice.sent).toEqual([
      { to: "group:vase", method: "outbid", args: ["vase", 10] },
      { to: "group:vase", method: "outbid", args: ["vase", 20] },
      { to: "user:alice", method: "outbid", args: ["vase", 20] },
    ]);
    expect(alice.scheduled).toMatchObject([{ id: "close", action: "close", at: 30_000 }]);
  });

  it("lets time pass, and runs what is due", async () => {
    const room = callingRoom(AuctionHub, { user: { id: "alice" }, now: 1_000 });
    await room.run.bid(10);
    await room.advance(29);
    expect(room.state.sold).toBe(false);
    await room.advance(1);
    expect(room.state.sold).toBe(true);
    expect(room.scheduled).toEqual([]);
    await expect(room.run.bid(20)).rejects.toMatchObject({ code: "auction_closed" });
  });

  it("refuses what the server refuses", async () => {
    const room = callingRoom(AuctionHub, { state: { item: "x", price: 5, sold: false } });
    await expect(room.run.bid(-1)).rejects.toMatchObject({ code: "invalid_arguments" });
    await expect((room.run as unknown as { close(): Promise<void> }).close()).rejects.toMatchObject(
      {
        code: "method_not_found",
        message: "Hub auctions has no such action in rooms of kind group.",
      },
    );
    expect(() => callingRoom(AuctionHub, { state: { item: 1 } as never })).toThrow(/state/);
    expect(() => callingRoom(AuctionHub, { room: "order:42" })).toThrow(
      'Hub "auctions" has state in rooms of kind group: not in order:42.',
    );
    await room.internal.close();
    expect(room.state.sold).toBe(true);
  });
});

const Counter = z.object({ count: z.number(), label: z.string().optional() });
type Counter = z.infer<typeof Counter>;

type Asked = (...args: unknown[]) => Promise<unknown>;
type Scheduling = Readonly<Record<string, (...args: unknown[]) => void>>;

/** The context of its actions, without the types that a hub infers. */
interface Inside {
  readonly state: { count: number; label?: string };
  readonly clients: { readonly room: { said(text: string): void } };
  readonly schedule: {
    in(seconds: number): Scheduling;
    every(period: number): Scheduling;
    cancel(id: string): void;
  };
}

const INTERNAL = {
  tick: internal(
    [z.number()],
    (({ state }: Inside, by: number) => void (state.count += by)) as never,
  ),
  fail: internal([], (({ state }: Inside) => {
    state.count = 99;
    throw new HubError("no", "Not so.");
  }) as never),
  again: internal([], (({ state, schedule }: Inside) => {
    state.count++;
    schedule.in(10)["cancelled"]!();
    schedule.cancel("cancelled");
  }) as never),
  cancelled: internal([], (({ state }: Inside) => void (state.count = -1)) as never),
};
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = { tick: [1] };

/** One that counts, with everything that a test may set. */
const counters = (options: object) =>
  hub("counters")
    .state("group", { schema: Counter, initial: { count: 0 }, ...options })
    .internal(INTERNAL as never)
    .actions({
      add: action([z.number()], ({ state }, by) => (state.count += by)),
      put: action([z.string()], ({ state }, label) => void (state.label = label)),
      half: action([], (({ state, clients, schedule }: Inside) => {
        state.count = 99;
        clients.room.said("never");
        schedule.in(1)["tick"]!(1);
        throw new HubError("no", "Not so.");
      }) as never),
      promise: action([], ({ state }) => {
        state.count = 99;
        return Promise.reject(new Error("Never heard.")) as never;
      }),
      later: action([z.number(), z.string()], ((
        { schedule }: Inside,
        seconds: number,
        name: string,
      ) => schedule.in(seconds)[name]!(...(ARGUMENTS[name] ?? []))) as never),
      every: action([z.number()], (({ schedule }: Inside, period: number) =>
        schedule.every(period)["tick"]!(1)) as never),
      large: action([z.number()], ({ state }, bytes) => void (state.label = "x".repeat(bytes))),
      mark: action([z.string()], ({ state, sql }, place) => {
        state.count++;
        void sql`INSERT INTO marks VALUES (${place})`;
        return sql<{ place: string }>`SELECT place FROM marks`.map((row) => row.place);
      }),
      times: action([], ({ now, key, present }) => [
        now,
        typeof key,
        present.map(({ userId }) => userId),
      ]),
    });

interface CounterRoom {
  readonly run: Readonly<
    Record<
      "add" | "put" | "half" | "promise" | "later" | "every" | "large" | "mark" | "times",
      Asked
    >
  >;
  readonly state: Counter;
  readonly view: unknown;
  readonly patches: readonly unknown[];
  readonly sent: readonly unknown[];
  readonly scheduled: readonly { readonly at: number }[];
  advance(seconds: number): Promise<void>;
}

const roomOf = (options: object = {}, setting: object = {}) =>
  callingRoom(counters(options), setting) as unknown as CounterRoom;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: { code?: string; name: string }) => error.code ?? error.name,
  );

describe("a stored state of callingRoom", () => {
  const migrations = [
    (old: { n: number }) => ({ count: old.n }),
    (old: Counter) => Object.assign(old, { label: "new" }),
  ];

  it("is migrated from its version on, and stays as the test gave it", async () => {
    const stored = { version: 2, state: { count: 7 } };
    expect(roomOf({ migrations }, { stored }).state).toEqual({ count: 7, label: "new" });
    expect(stored.state).toEqual({ count: 7 });
    const oldest = roomOf({ migrations }, { stored: { version: 1, state: { n: 3 } } });
    expect(await oldest.run.add(1)).toBe(4);
    expect(oldest.state).toEqual({ count: 4, label: "new" });
    const newest = { version: 3, state: { count: 1 } };
    expect(roomOf({ migrations }, { stored: newest }).state).toEqual({ count: 1 });
  });

  it.each([
    ["of a newer deploy", { version: 4, state: { count: 1 } }, "state_newer"],
    ["that the schema refuses", { version: 3, state: { count: "1" } }, "invalid_state"],
    [
      "that is too large",
      { version: 3, state: { count: 1, label: "x".repeat(300_000) } },
      "invalid_state",
    ],
  ])("%s is refused", (_, stored, code) => {
    expect(() => roomOf({ migrations }, { stored })).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    [
      ...["no migration changes", 3],
      "state (count): Invalid input: expected number, received string. The schema refuses the stored state: " +
        "`migrations` needs a step.",
    ],
    [
      ...["migrations leave as it was", 2],
      "state (count): Invalid input: expected number, received string. The schema refuses what `migrations` return.",
    ],
  ] as const)("that %s is refused with the remedy", (_, version, message) => {
    const steps = [(old: unknown) => old, (old: unknown) => old];
    const stored = { version, state: { count: "1" } };
    expect(() => roomOf({ migrations: steps }, { stored })).toThrow(message);
  });

  it("that a migration makes no JSON is refused, which is the migration's own fault", () => {
    const steps = [() => ({ count: new Date(0) })];
    const stored = { version: 1, state: { count: 1 } };
    const refused = () => roomOf({ migrations: steps as never }, { stored });
    expect(refused).toThrow(expect.objectContaining({ code: "invalid_state" }));
    expect(refused).not.toThrow("The schema refuses");
  });
});

describe("an action of callingRoom that fails", () => {
  const view = ({ count }: Counter) => {
    if (count === 13) throw new Error("Unlucky.");
    return { count };
  };

  it.each([
    ["half", [], "no"],
    ["promise", [], "TypeError"],
    ["large", [300_000], "invalid_state"],
    ["add", [Number.NaN], "TypeError"],
    ["add", [13], "Error"],
  ] as const)("as %s %j does changes nothing", async (name, args, code) => {
    const room = roomOf({ view });
    expect(await codeOf(Promise.resolve().then(() => room.run[name](...args)))).toBe(code);
    expect([room.state, room.view]).toEqual([{ count: 0 }, { count: 0 }]);
    expect([room.patches, room.sent, room.scheduled]).toEqual([[], [], []]);
    expect(await room.run.add(1)).toBe(1);
    expect(room.patches).toEqual([{ count: 1 }]);
  });

  it("shows no change that a view hides", async () => {
    const room = roomOf({ view });
    await room.run.put("hidden");
    expect([room.state.label, room.view, room.patches]).toEqual(["hidden", { count: 0 }, []]);
    const unseen = roomOf({ view: false });
    await unseen.run.add(1);
    expect([unseen.view, unseen.patches]).toEqual([undefined, []]);
  });
});

describe("a schedule of callingRoom", () => {
  it("that fails is tried again after the server's pauses, and kept after five failures", async () => {
    const room = roomOf({}, { now: 0 });
    await room.run.later(1, "fail");
    await room.run.later(2, "tick");
    expect(await codeOf(room.advance(1))).toBe("no");
    expect(room.scheduled).toMatchObject([
      { id: "fail", at: 2_000, failures: 1 },
      { id: "tick", at: 2_000 },
    ]);
    expect(await codeOf(room.advance(1))).toBe("no");
    // It kept no other from running, and has changed nothing.
    expect(room.state.count).toBe(1);
    expect(await codeOf(room.advance(600))).toBe("no");
    expect(room.scheduled).toMatchObject([{ id: "fail", failures: 5 }]);
    expect(await codeOf(room.advance(600))).toBe("done");
    expect(room.state.count).toBe(1);
  });

  it("of a period runs at each of its times, at the time that was planned", async () => {
    const room = roomOf();
    await room.run.every(10);
    await room.advance(35);
    expect([room.state.count, room.scheduled[0]?.at]).toEqual([3, 40_000]);
    expect(await room.run.times()).toMatchObject([35_000, "string", []]);
  });

  it("is cancelled within the action that made it", async () => {
    const room = roomOf();
    await room.run.later(1, "again");
    await room.advance(60);
    expect([room.state.count, room.scheduled]).toEqual([1, []]);
  });

  it("has a limit, as in the server", async () => {
    const many = hub("many", { limits: { schedulesPerRoom: 2 } })
      .state("group", { schema: Counter, initial: { count: 0 } })
      .internal({ tick: internal([], () => {}) })
      .actions({ later: action([z.string()], ({ schedule }, id) => schedule.in(1, id).tick()) });
    const room = callingRoom(many);
    await room.run.later("a");
    await room.run.later("b");
    await room.run.later("b");
    expect(await codeOf(room.run.later("c"))).toBe("too_large");
  });
});

interface Saved {
  readonly state: Counter;
  readonly position: { readonly offset: number };
}

describe("a state of callingRoom that lives elsewhere", () => {
  const elsewhere = () => {
    const [loads, saves]: [string[], unknown[]] = [[], []];
    const options = {
      load: async ({ name }: { name: string }, env: { STORE: Map<string, Counter> }) => {
        loads.push(name);
        return env.STORE.get(name);
      },
      save: (
        { state, position }: Saved,
        env: { STORE: Map<string, Counter>; isDown?: boolean },
      ) => {
        saves.push([state.count, position.offset]);
        if (env.isDown) throw new HubError("down", "The store is down.");
        env.STORE.set("vase", state);
      },
    };
    return { loads, saves, options };
  };

  it("is loaded with the first use, once, by the bindings of the test", async () => {
    const { loads, options } = elsewhere();
    const env = { STORE: new Map([["vase", { count: 40 }]]) };
    const room = roomOf(options, { env, room: "group:vase" });
    expect(() => room.state).toThrow(/run an action/);
    expect(await Promise.all([room.run.add(1), room.run.add(1)])).toEqual([41, 42]);
    expect([loads, room.state]).toEqual([["vase"], { count: 42 }]);
    const fresh = roomOf(options, { env, room: "group:other" });
    expect(await fresh.run.add(1)).toBe(1);
    expect(roomOf(options, { state: { count: 5 } }).state).toEqual({ count: 5 });
  });

  it.each([
    ["fails", () => Promise.reject(new Error("No database.")), "unavailable"],
    ["gives no state", async () => ({ count: "many" }), "invalid_state"],
  ])("whose load %s is refused, and tried again with the next use", async (_, first, code) => {
    const answers = [first, async () => ({ count: 7 })];
    const room = roomOf({ load: async () => answers.shift()!() });
    expect(await codeOf(room.run.add(1))).toBe(code);
    expect(await room.run.add(1)).toBe(8);
  });

  it("is saved a second after a change, and again until that succeeds", async () => {
    const { saves, options } = elsewhere();
    const env = { STORE: new Map<string, Counter>(), isDown: true };
    const room = roomOf(options, { env, room: "group:vase" });
    await room.run.add(1);
    await room.run.add(1);
    expect(saves).toEqual([]);
    expect(await codeOf(room.advance(1))).toBe("down");
    expect(await codeOf(room.advance(1))).toBe("down");
    env.isDown = false;
    await room.advance(60);
    expect([saves, env.STORE.get("vase")]).toEqual([
      [
        [2, 2],
        [2, 2],
        [2, 2],
      ],
      { count: 2 },
    ]);
  });
});

describe("tables of callingRoom", () => {
  const tables = ["CREATE TABLE marks (place TEXT NOT NULL)"];

  it("have the rows that the test gives", async () => {
    const asked: unknown[] = [];
    const sql = (query: string, values: readonly unknown[]) => {
      asked.push([query, values]);
      return query.startsWith("SELECT") ? [{ place: "dock" }] : [];
    };
    expect(await roomOf({ tables }, { sql }).run.mark("dock")).toEqual(["dock"]);
    expect(asked).toEqual([
      ["INSERT INTO marks VALUES (?)", ["dock"]],
      ["SELECT place FROM marks", []],
    ]);
  });

  it("need something that holds them, and a hub that declares them", async () => {
    expect(await codeOf(roomOf({ tables }).run.mark("dock"))).toBe("Error");
    expect(await codeOf(roomOf({}, { sql: () => [] }).run.mark("dock"))).toBe("TypeError");
  });
});

it("callingRoom knows the users in the room, and gives each run a key", async () => {
  const room = roomOf({}, { present: ["bob", "alice"], now: 5 });
  expect(await room.run.times()).toEqual([5, "string", ["alice", "bob"]]);
});
