// User code that must compile, and code that must not. Compiled by `npm run types`; never run.

import * as v from "valibot";
import * as z from "zod";
import type {
  HubContext,
  Member,
  MemberContext,
  RoomContext,
} from "../../src/dispatch/define/hub-context.ts";
import {
  authorize,
  hub,
  method,
  stream,
  streamOf,
} from "../../src/dispatch/define/hub-definition.ts";
import { role } from "../../src/dispatch/define/policies.ts";
import { feed } from "../../src/dispatch/define/hub-paths.ts";
import { calling, world } from "../../src/dispatch/testing/testing.ts";
import type { ClientOf, HubCalls } from "../../src/dispatch/define/hub-types.ts";
import type { Topic } from "../../src/model/topic.ts";
import { expect, type Equal } from "./equal.ts";

interface Told {
  said(count: number): void;
}
interface Asked extends Told {
  confirm(question: string): Promise<boolean>;
}
const answers = { confirm: z.boolean() };

export const AskingHub = hub<Asked>("asking", { answers }).methods({
  unused: method([z.string(), z.number()], () => 1),
  none: method([], ({ clients }) => clients.all.said(1)),
  defaulted: method([z.string(), z.number().default(3)], (_context, name, n) => ({ name, n })),
  valibot: method([v.object({ id: v.string() })], (_context, value) => value.id),
  guarded: authorize(role("x")).method([z.string()], ({ clients }, question) =>
    clients.caller.confirm(question),
  ),
  dated: method([], () => ({ at: new Date(), tags: ["a"] })),
  bytes: method([], () => new Uint8Array(1)),
  ticks: stream([z.coerce.date()], async function* (_context, since) {
    yield since.getTime();
  }),
  sink: method([streamOf(z.number())], async (_context, numbers) => {
    let sum = 0;
    for await (const n of numbers) sum += n;
    return sum;
  }),
});

declare const calls: HubCalls<typeof AskingHub>;
type Invoke = typeof calls.invoke;

// The public type of a hub: the schemas' input types, the handlers' names, results as they are after the wire.
expect<Equal<Invoke["unused"], (a: string, b: number) => Promise<number>>>();
expect<Equal<Parameters<Invoke["defaulted"]>, [name: string, n?: number | undefined]>>();
expect<Equal<Invoke["valibot"], (value: { id: string }) => Promise<string>>>();
expect<Equal<Invoke["guarded"], (question: string) => Promise<boolean>>>();
expect<Equal<Invoke["none"], () => Promise<void>>>();
expect<Equal<Invoke["sink"], (numbers: AsyncIterable<number>) => Promise<number>>>();
expect<Equal<Awaited<ReturnType<Invoke["dated"]>>, { at: string; tags: string[] }>>();
expect<Equal<Invoke["bytes"], () => Promise<string>>>();
expect<Equal<ReturnType<typeof calls.send.unused>, void>>();
expect<Equal<ReturnType<typeof calls.stream.ticks>, AsyncIterable<number>>>();
expect<Equal<ClientOf<typeof AskingHub>, Asked>>();
// @ts-expect-error a stream is not invoked
void calls.invoke.ticks;
// @ts-expect-error a stream is not sent
void calls.send.ticks;
// @ts-expect-error a method is not streamed
void calls.stream.none;
// @ts-expect-error a method no one declared
void calls.invoke.missing;

// Handlers.
hub<Asked>("bad", { answers }).methods({
  // @ts-expect-error the client has no such method
  one: method([z.string()], ({ clients }, s) => clients.all.missing(s)),
  // @ts-expect-error and `said` takes a number
  two: method([z.string()], ({ clients }, s) => clients.all.said(s)),
  // @ts-expect-error a broadcast cannot be answered
  three: method([z.string()], async ({ clients }, s): Promise<boolean> => clients.all.confirm(s)),
  // @ts-expect-error parameters follow the schema
  four: method([z.string()], (_context, n: number) => n),
});
// @ts-expect-error a stream yields
stream([z.string()], async (_context, s) => s);

async function* ticks() {
  yield 1;
}
hub("generators").methods({
  // @ts-expect-error a method gives one result
  one: method([], ticks),
});
hub("generators").methods({
  // @ts-expect-error … also where it waits before
  two: method([], async () => ticks()),
});
hub("generators").methods({
  // @ts-expect-error … and no iterator
  three: method([], () => [1].values()),
});
hub("generators").methods({
  // @ts-expect-error … nor now and then
  four: method([z.boolean()], (_context, all) => (all ? ticks() : 1)),
  // Lists and maps are results.
  list: method([], () => [1]),
  map: method([], () => new Map([["a", 1]])),
});

// A schema is required exactly where a client method answers, with the type of its answer.
hub<Told>("told");
hub<Told>("told", {});
hub<Told>("told", { history: false });
hub("silent");
// @ts-expect-error settings are demanded, for `confirm` answers
hub<Asked>("asked");
// @ts-expect-error and `answers` in them
hub<Asked>("asked", { history: false });
// @ts-expect-error and `confirm` in those
hub<Asked>("asked", { answers: {} });
// @ts-expect-error which is a boolean
hub<Asked>("asked", { answers: { confirm: z.string() } });
// @ts-expect-error `said` does not answer
hub<Asked>("asked", { answers: { confirm: z.boolean(), said: z.number() } });
// @ts-expect-error nothing answers
hub<Told>("told", { answers: { said: z.number() } });
// @ts-expect-error not even to a hub without clients
hub("silent", { answers: { confirm: z.boolean() } });

// Rules of rooms are by kind, and apply to users only.
hub("rooms", { rooms: { group: { enter: role("x") }, order: {}, user: { enter: role("x") } } });
// @ts-expect-error no connection joins `all`
hub("rooms", { rooms: { all: { enter: role("x") } } });

/** Rooms in hub code: methods can move their caller, hooks can only read. */
export async function handles(call: HubContext<Asked>, hook: RoomContext<Asked>) {
  await call.group("lobby").join();
  await call.order("42").presence.track({ typing: true });
  expect<Equal<Awaited<ReturnType<typeof call.all.presence.list>>, Member[]>>();
  expect<Equal<typeof call.room, Topic>>();
  expect<Equal<Awaited<ReturnType<typeof call.clients.caller.confirm>>, boolean>>();
  await hook.clients.except("c1").order("42", "43").said(1);
  await hook.order("42").history.last(1);
  // @ts-expect-error a hook has no connection that could join a room
  await hook.group("lobby").join();
  // @ts-expect-error nor one whose state could be tracked
  await hook.group("lobby").presence.track(1);
  // @ts-expect-error and no caller
  void hook.clients.caller;
  // @ts-expect-error no connection joins `all`
  await call.all.join();
  // @ts-expect-error there is no handle for a user's room
  void call.user("bob");
}

/** `joined` and `left` have the user's id and nothing more. */
export function member({ user }: MemberContext<Told>) {
  user.id satisfies string;
  // @ts-expect-error roles are unknown after a crash
  void user.roles;
}

// The memory harness has the same types, but bytes as bytes.
const { invoke, stream: streams } = calling(AskingHub, { answers: { confirm: true } });
expect<Equal<typeof invoke, HubCalls<typeof AskingHub, Uint8Array>["invoke"]>>();
expect<Equal<Awaited<ReturnType<typeof invoke.bytes>>, Uint8Array>>();
expect<Equal<typeof streams, typeof calls.stream>>();
// @ts-expect-error a test awaits what it calls
void calling(AskingHub).send;
// @ts-expect-error `said` does not answer
calling(AskingHub, { answers: { said: 1 } });

// The worker's bindings, in every context, by the declaration that `wrangler types` writes (env.d.ts).
export const Bound = hub<Told>("bound", {
  authorize: async ({ env, user }) => (await env.DB.prepare(user!.id).first()) !== null,
  rooms: { group: { enter: ({ env, waitUntil }) => (waitUntil(env.DB.exec("")), true) } },
  connected: ({ env }) => void env.STOCK.getByName("tea"),
  joined: ({ env, waitUntil }) => waitUntil(env.STOCK.getByName("tea").take("a", 1)),
})
  .use({ invoke: ({ context }, next) => (context.env.JWT_ISSUER satisfies string, next()) })
  .methods({
    one: method([], ({ env }) => env.STOCK.getByName("tea").take("a", 1)),
    ticks: stream([], async function* ({ env }) {
      yield env.JWT_AUDIENCE;
    }),
    // @ts-expect-error there is no such binding
    two: method([], ({ env }) => env.MISSING),
    // @ts-expect-error work is a promise
    three: method([], ({ waitUntil }) => waitUntil(() => {})),
  });
feed("/a/:id", Bound, { room: async ({ env }) => `group:${env.JWT_ISSUER}`, events: {} });

// Tests give bindings by these names, real or not.
calling(Bound, { env: { STOCK: { getByName: () => ({ take: () => 1 }) } } });
// @ts-expect-error there is no such binding
calling(Bound, { env: { STOKC: 1 } });

/** A world has the hub's types: calls, messages to clients, and the clients' answers. */
export async function inWorld() {
  const asking = world(AskingHub, { env: { DB: null } });
  const alice = await asking.connect({ handlers: { confirm: () => true, said: (n) => n + 1 } });
  expect<Equal<typeof alice.invoke, Invoke>>();
  expect<Equal<typeof alice.stream, typeof calls.stream>>();
  await asking.clients.group("a").said(1);
  // @ts-expect-error `said` takes a number
  await asking.clients.all.said("1");
  // @ts-expect-error an answer is a boolean
  await asking.connect({ handlers: { confirm: () => 1 } });
}
