// Hubs whose rooms have state: what must compile, and what must not. Compiled by `npm run types`; never run.

import * as v from "valibot";
import * as z from "zod";
import {
  action,
  authorize,
  hub,
  internal,
  method,
  role,
  type ActionsOf,
  type AnyHub,
  type RoomOf,
  type Runs,
  type ViewOf,
} from "../../src/hub.ts";
import { calling, world } from "../../src/dispatch/testing/testing.ts";
import type { AuctionHub as Auctions } from "../support/state-hubs.ts";
import { expect, type Equal } from "./equal.ts";

declare const AuctionHub: typeof Auctions;

// ---- What clients see ----
type AuctionView = { item: string; price: number; leader?: string | undefined; sold: boolean };
expect<Equal<ViewOf<typeof AuctionHub>, AuctionView>>();
declare const run: Runs<ActionsOf<typeof AuctionHub>>;
expect<Equal<Parameters<typeof run.bid>, [amount: number]>>();
expect<Equal<Awaited<ReturnType<typeof run.bid>>, number>>();
// @ts-expect-error there is no such action
void run.offer(1);
// @ts-expect-error only the room closes itself
void run.close();
// @ts-expect-error arguments follow the schemas
void run.bid("120");

// ---- What a state may be ----
const open = hub<{ ping(n: number): void }>("h");
const Plain = z.object({ n: z.number() });
const Nullable = z.object({ winner: z.string().nullable() });
const Deep = z.object({ players: z.record(z.string(), Nullable) });
const Cells = z.object({ cells: z.array(z.string().nullable()) });
const Dated = z.object({ at: z.date() });
const Mapped = z.object({ m: z.map(z.string(), z.string()) });
const Transformed = z.object({ n: z.string().transform(Number) });
const Defaulted = z.object({ n: z.number().default(1) });

// @ts-expect-error null means "remove" in a merge patch: state.winner
open.state("group", { schema: Nullable, initial: { winner: null } });
// @ts-expect-error … at any depth: state.players.winner
open.state("group", { schema: Deep, initial: { players: {} } });
// Inside an array null is a value.
open.state("group", { schema: Cells, initial: { cells: [null] } });
// @ts-expect-error a Date is no JSON
open.state("group", { schema: Dated, initial: { at: new Date() } });
// @ts-expect-error a Map is no JSON
open.state("group", { schema: Mapped, initial: { m: new Map() } });
// @ts-expect-error what comes out of the schema does not go in again
open.state("group", { schema: Transformed, initial: { n: 1 } });
// A default goes in again.
open.state("group", { schema: Defaulted, initial: { n: 1 } });
// Any Standard Schema will do.
open.state("group", { schema: v.object({ n: v.number() }), initial: { n: 1 } });
// @ts-expect-error initial is of the schema
open.state("group", { schema: Plain, initial: { n: "1" } });
// @ts-expect-error a view is JSON as well
open.state("group", { schema: Plain, initial: { n: 1 }, view: ({ n }) => ({ at: new Date(n) }) });
// @ts-expect-error `all` is nobody's room
open.state("all", { schema: Plain, initial: { n: 1 } });

// ---- What an action may do ----
const rooms = open.state("group", { schema: Plain, initial: { n: 1 } });
rooms.actions({
  // @ts-expect-error an action does not wait
  waits: action([], async ({ state }) => void state.n++),
});
rooms.actions({
  // @ts-expect-error … nor does it give a promise
  promises: action([], ({ state }) => Promise.resolve(state.n)),
});
rooms.actions({
  // @ts-expect-error … nor items, one by one
  yields: action([], async function* () {
    yield 1;
  }),
});
rooms.actions({
  // @ts-expect-error … as a generator that does not wait does
  yields: action([], function* () {
    yield 1;
  }),
});
rooms.internal({
  // @ts-expect-error the same inside
  waits: internal([], async ({ state }) => void state.n++),
});
rooms.actions({
  // @ts-expect-error what the action found is not to be changed
  before: action([], ({ was }) => void (was.n = 2)),
  // @ts-expect-error the state has no such property
  strange: action([], ({ state }) => void (state.m = 1)),
  // @ts-expect-error and n is a number
  text: action([], ({ state }) => void (state.n = "1")),
  // @ts-expect-error the client has no such method
  pong: action([], ({ clients }) => clients.room.pong(1)),
  // @ts-expect-error and `ping` takes a number
  ping: action([], ({ clients }) => clients.room.ping("1")),
  // @ts-expect-error parameters follow the schema
  wrong: action([z.string()], (_, n: number) => n),
  // @ts-expect-error what is scheduled stands before what schedules it
  later: action([], ({ schedule }) => schedule.in(1).tick()),
});
rooms.internal({ tick: internal([z.number()], ({ state }, by) => void (state.n += by)) }).actions({
  start: action([], ({ schedule }) => schedule.every(60).tick(1)),
  daily: action([], ({ schedule }) => schedule.every("0 9 * * 1-5", "open").tick(1)),
  // @ts-expect-error its arguments are known
  wrong: action([], ({ schedule }) => schedule.in(1).tick("1")),
});
rooms.internal({
  // @ts-expect-error an internal action has no caller
  who: internal([], ({ user }) => user.id),
});
authorize(role("Admin")).action([], () => {});

// ---- Methods of a hub with state ----
rooms.actions({ add: action([z.number()], ({ state }, by) => (state.n += by)) }).methods({
  double: method([z.string()], async ({ group }, name) => {
    const { state } = await group(name).state();
    state.n satisfies number;
    return group(name).run.add(state.n);
  }),
  // @ts-expect-error a method gives one result
  yields: method([], async function* () {
    yield 1;
  }),
});
rooms.methods({
  // @ts-expect-error orders of this hub have no state
  other: method([z.string()], ({ order }, id) => order(id).state()),
});
// ---- Hooks that reach the state ----
open
  .state("order", { schema: Plain, initial: { n: 1 } })
  .internal({ close: internal([z.string()], () => {}) })
  .actions({ add: action([z.number()], ({ state }, by) => (state.n += by)) })
  .hooks({
    connected: async ({ order }) => void ((await order("1").run.add(1)) satisfies number),
    async left({ order, group, user }) {
      await order("1").internal.close(user.id);
      // @ts-expect-error a hook of a room has no user
      await order("1").run.add(1);
      // @ts-expect-error groups of this hub have no state
      await group("1").state();
    },
  });

// ---- Users' rooms with a state: `user` is the caller all the same ----
open
  .state("user", { schema: Plain, initial: { n: 1 } })
  .internal({ clear: internal([], ({ state }) => void (state.n = 0)) })
  .actions({ add: action([z.number()], ({ state }, by) => (state.n += by)) })
  .hooks({
    connected: async ({ own, user }) => void ((await own.run.add(1)) satisfies number, user.roles),
    joined: ({ user }) => void (user.id satisfies string),
    left: ({ user, trace }) => void (user.id satisfies string, trace satisfies string | undefined),
  })
  .methods({ name: method([], ({ own, user }) => void own.internal.clear().then(() => user.id)) });

// ---- Tests in memory take such a hub ----
const Both = open
  .state("group", { schema: Plain, initial: { n: 1 } })
  .actions({ add: action([z.number()], ({ state }, by) => (state.n += by)) })
  .methods({ measure: method([z.string()], (_context, text) => text.length) });
export async function inMemory() {
  const { invoke, hooks } = calling(Both, { room: "group:a" });
  expect<Equal<Parameters<typeof invoke.measure>, [string]>>();
  expect<Equal<Awaited<ReturnType<typeof invoke.measure>>, number>>();
  await hooks.joined("alice", "group:a");
  // @ts-expect-error arguments follow the schemas
  void invoke.measure(1);
  const both = world(Both);
  const alice = await both.connect({ handlers: { ping: (n) => void n.toFixed() } });
  expect<Equal<typeof alice.invoke, typeof invoke>>();
  await both.clients.all.ping(1);
  // @ts-expect-error `ping` takes a number
  await both.clients.all.ping("1");
}

// A hub without state is what it was.
const Stateless = open.methods({
  hi: method([z.string()], ({ clients }, s) => clients.all.ping(s.length)),
});
expect<Equal<RoomOf<typeof Stateless>, never>>();
export const all: readonly AnyHub[] = [Stateless, AuctionHub, rooms];
