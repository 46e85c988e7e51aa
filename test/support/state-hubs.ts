// Hubs whose rooms have state, for tests: an auction, and one that does what no hub should.

import * as z from "zod";
import {
  action,
  anyone,
  authorize,
  hub,
  HubError,
  internal,
  method,
  nobody,
  role,
  signedIn,
} from "../../src/hub.ts";

const Auction = z.object({
  item: z.string(),
  price: z.number(),
  leader: z.string().optional(),
  sold: z.boolean(),
});

/** A position that a client has read. */
const Seen = z.object({ epoch: z.string(), offset: z.number() });

interface BidderClient {
  outbid(item: string, price: number): void;
  sold(item: string, to: string | undefined): void;
}

export const AuctionHub = hub<BidderClient>("auctions", {
  rooms: { group: { enter: signedIn } },
  reach: { users: true },
})
  .state("group", {
    schema: Auction,
    initial: ({ name }) => ({ item: name, price: 0, sold: false }),
  })
  .internal({
    close: internal([], ({ state, clients }) => {
      state.sold = true;
      clients.room.sold(state.item, state.leader);
    }),
  })
  .actions({
    bid: action([z.number().int().positive()], ({ state, user, clients, schedule }, amount) => {
      if (state.sold) throw new HubError("auction_closed", "This auction is over.");
      if (amount <= state.price) throw new HubError("too_low", `${state.price} is bid already.`);
      if (state.leader !== undefined) clients.user(state.leader).outbid(state.item, amount);
      Object.assign(state, { price: amount, leader: user.id });
      clients.room.outbid(state.item, amount);
      schedule.in(30).close();
      return state.price;
    }),
  })
  .methods({
    join: method([z.string()], ({ group }, name) => group(name).join()),
    double: method([z.string()], async ({ group }, name) => {
      const { state } = await group(name).state();
      return group(name).run.bid(state.price * 2);
    }),
    finish: method([z.string()], ({ group }, name) => group(name).internal.close()),
  });

export type AuctionHub = typeof AuctionHub;

const Notes = z.object({ notes: z.record(z.string(), z.json()), count: z.number() });

/** What an action must not do, and what is at its limits. */
const odd = {
  schema: Notes as unknown as z.ZodType<{ notes: Record<string, any>; count: number }>,
  initial: { notes: {}, count: 0 },
} as const;

const Anything = z.any();

const oddActions = {
  internal: {
    tick: internal([z.number()], ({ state }: any, by: number) => void (state.count += by)),
    note: internal([Anything], ({ state }: any, text: string) => void (state.notes.note = text)),
    fail: internal([], ({ state }: any) => {
      state.count += 1000;
      throw new Error("It fails.");
    }),
  },
  actions: {
    put: action([z.string(), Anything], ({ state }: any, key: string, value: unknown) => {
      state.notes[key] = value;
    }),
    drop: action([z.string()], ({ state }: any, key: string) => void delete state.notes[key]),
    fill: action([z.number()], ({ state }: any, bytes: number) => {
      const rest = bytes - JSON.stringify({ notes: { fill: "" }, count: state.count }).length;
      state.notes = { fill: "x".repeat(rest) };
    }),
    add: action([z.number()], ({ state, clients }: any, by: number) => {
      state.count += by;
      clients.room.added(state.count);
      return state.count;
    }),
    say: action([z.string()], ({ clients }: any, text: string) => clients.room.said(text)),
    tell: action(
      [z.string(), z.string()],
      ({ state, clients }: any, group: string, text: string) => {
        state.count++;
        clients.group(group).said(text);
      },
    ),
    flood: action(
      [z.string(), z.number(), z.number()],
      ({ state, clients }: any, group: string, count: number, bytes: number) => {
        state.count++;
        for (let n = 0; n < count; n++) clients.group(group).said("x".repeat(bytes));
      },
    ),
    half: action([], ({ state, clients, schedule }: any) => {
      state.count = 99;
      clients.room.said("never");
      clients.group("elsewhere").said("never");
      schedule.in(1).tick(1);
      throw new HubError("no", "Not so.");
    }),
    promise: action([], ({ state }: any) => {
      state.count = 99;
      return Promise.resolve(1) as never;
    }),
    echo: action([z.string()], (_: any, text: string) => text),
    result: action([z.string()], (_: any, kind: string) => RESULTS[kind]!()),
    date: action([], ({ state }: any) => void (state.notes.at = new Date(0))),
    later: action([z.number(), z.number()], ({ schedule }: any, seconds: number, by: number) =>
      schedule.in(seconds).tick(by),
    ),
    every: action([z.any()], ({ schedule }: any, period: number | string) =>
      schedule.every(period, "often").tick(1),
    ),
    at: action([z.any()], ({ schedule }: any, time: number) => schedule.at(time).tick(1)),
    query: action([], ({ state, sql }: any) => {
      state.count = 99;
      return sql`CREATE TABLE own (at INTEGER)`;
    }),
    remind: action([], ({ state, schedule }: any) => {
      schedule.in(1, "part").note(state.notes);
      const text = { text: "as given" };
      schedule.in(2, "changed").note(text);
      text.text = "as changed later";
    }),
    tamper: action([], ({ schedule }: any) => void (schedule.pending[0].args[0] = 1000)),
    failing: action([], ({ schedule }: any) => schedule.in(1).fail()),
    cancel: action([z.string()], ({ schedule }: any, id: string) => schedule.cancel(id)),
    pending: action([], ({ schedule }: any) => [...schedule.pending]),
    who: action([], ({ present, user, connectionId }: any) => [
      present.map(({ userId }: { userId: string }) => userId),
      user.id,
      typeof connectionId,
    ]),
    constructor: action([], () => "built"),
  },
};

const RESULTS: Record<string, () => unknown> = {
  nan: () => Number.NaN,
  circle: () => {
    const circle: object[] = [];
    circle.push(circle);
    return circle;
  },
  large: () => "x".repeat(17_000),
  prototype: () => JSON.parse('{"__proto__":1}'),
  nothing: () => undefined,
  items: () => [1].values(),
};

const oddHub = (name: string, settings: object = {}, options: object = {}) =>
  hub<{ said(text: string): void; added(count: number): void }>(name, {
    rooms: { group: { enter: anyone } },
    limits: { callsPerSecond: 1_000, callBurst: 2_000 },
    ...settings,
  })
    .state("group", { ...odd, ...options } as never)
    .internal(oddActions.internal as never)
    .actions({
      ...oddActions.actions,
      admin: authorize(role("Admin")).action([], () => "done"),
    } as never);

const scans = ["CREATE TABLE scans (at INTEGER, place TEXT NOT NULL)"];
const gates = "CREATE TABLE gates (name TEXT PRIMARY KEY, next TEXT REFERENCES gates (name))";

const scansHub = (name: string, settings: object = {}, tables: readonly string[] = scans) =>
  hub(name, { rooms: { group: { enter: anyone } }, ...settings })
    .state("group", {
      schema: z.object({ count: z.number() }),
      initial: { count: 0 },
      tables,
    })
    .actions({
      scan: action([z.string()], ({ sql, state }, place) => {
        state.count++;
        void sql`INSERT INTO scans VALUES (${state.count}, ${place})`;
        if (place === "nowhere") throw new HubError("nowhere", "There is no such place.");
        return sql<{ count: number }>`SELECT count(*) AS count FROM scans`[0]?.count;
      }),
      bytes: action([], ({ sql }) => {
        const [row] = sql<{ back: Uint8Array }>`SELECT ${new Uint8Array([1, 2])} AS back`;
        return [row!.back instanceof Uint8Array, ...row!.back];
      }),
      places: action([], ({ sql }) =>
        sql`SELECT place FROM scans ORDER BY at`.map(({ place }) => place),
      ),
    });

/** The state is hidden but for its count. */
const view = ({ count }: { count: number }) => {
  if (count === 13) throw new Error("Unlucky.");
  return { count };
};

/** All of the state from a count of three on, and else a part. */
const revealed = (state: { count: number }) => (state.count >= 3 ? state : { count: state.count });

/** A list of those who are in the room, which its hooks keep. */
const SeatsHub = hub("seats", { rooms: { group: { enter: anyone } } })
  .state("group", {
    schema: z.object({ seats: z.record(z.string(), z.string()), opened: z.number() }),
    initial: { seats: {}, opened: 0 },
  })
  .internal({
    sit: internal([z.string()], ({ state }, id) => void (state.seats[id] = "here")),
    rise: internal([z.string()], ({ state }, id) => void delete state.seats[id]),
  })
  .actions({ open: action([], ({ state }) => void state.opened++) })
  .hooks({
    connected: ({ group, room }) => group(room.name!).run.open(),
    joined: ({ group, room, user }) => group(room.name!).internal.sit(user.id),
    left: async ({ group, room, user }) => {
      const { state } = await group(room.name!).state();
      if (user.id in state.seats) await group(room.name!).internal.rise(user.id);
    },
  });

export const stateHubs = [
  AuctionHub,
  SeatsHub,
  oddHub("odd"),
  oddHub("odd-short", { history: { size: 1, ttlSeconds: 600 } }),
  oddHub("odd-small", { history: { size: 4, ttlSeconds: 600 } }),
  oddHub("odd-bounded", { limits: { outgoingMessages: 4 } }),
  oddHub("odd-closed", { rooms: { group: { enter: nobody } } }),
  oddHub("odd-full", { limits: { connectionsPerObject: 2, connectionsPerRelay: 4 } }),
  oddHub("odd-resuming", { signalR: { statefulReconnect: true } }),
  oddHub("odd-quiet", { presence: "none" }),
  oddHub("odd-behind", { durability: "behind" }),
  oddHub("odd-unlogged", { history: false }),
  oddHub("odd-view", {}, { view }),
  oddHub("odd-counted", {}, { view: ({ count }: { count: number }) => ({ count }) }),
  oddHub("odd-hidden", {}, { view: false }),
  oddHub("odd-revealed", {}, { view: revealed }),
  oddHub("odd-viewless", {}, { view: ({ notes }: { notes: { shown?: object } }) => notes.shown }),
  scansHub("scans"),
  scansHub("scans-behind", { durability: "behind" }),
  scansHub("scans-linked", {}, [...scans, gates]),
  hub<{ claimed(by: string): void }>("claims", { rooms: { group: { enter: anyone } } }).methods({
    look: method([z.string()], ({ group }, name) => group(name).history.position()),
    claim: method([z.string(), Seen], async ({ clients, user }, name, seen) => {
      await clients.at(seen).group(name).claimed(user.id);
    }),
  }),
  hub("wallets")
    .state("user", { schema: z.object({ coins: z.number() }), initial: { coins: 0 } })
    .actions({
      earn: action([z.number()], ({ state }, coins) => (state.coins += coins)),
    })
    .methods({
      earned: method([z.number()], async ({ own }, coins) => own.run.earn(coins)),
    }),
];
