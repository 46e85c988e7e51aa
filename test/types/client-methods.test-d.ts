// Client methods that are declared as data give hub code, services and clients their types. Compiled by `npm run
// types`; never run.

import * as z from "zod";
import { connect } from "../../src/client/index.ts";
import {
  action,
  authorize,
  clientMethods,
  hub,
  method,
  named,
  returns,
  signedIn,
  stream,
  type ClientOf,
} from "../../src/hub.ts";
import { expect, type Equal } from "./equal.ts";

const AskingClient = clientMethods({
  said: [named("user", z.string()), z.unknown(), z.number().optional()],
  confirm: { args: [z.string()], returns: z.boolean() },
});
type AskingClient = ClientOf<typeof AskingClient>;

expect<Equal<Parameters<AskingClient["said"]>[0], string>>();
expect<Equal<Parameters<AskingClient["said"]>["length"], 1 | 2 | 3>>();
expect<Equal<ReturnType<AskingClient["said"]>, void>>();
expect<Equal<Awaited<ReturnType<AskingClient["confirm"]>>, boolean>>();

/** The interface is inferred, in settings as well. */
const AskingHub = hub("asking", {
  client: AskingClient,
  connected: async ({ clients }) => {
    await clients.all.said("bob", 1, 2);
    // @ts-expect-error a user is a text
    await clients.all.said(1, 1);
    // @ts-expect-error the client has no such method
    void clients.all.shouted;
  },
}).methods({
  ask: method([], async ({ clients }) => {
    const answer = await clients.caller.confirm("Sure?");
    expect<Equal<typeof answer, boolean>>();
  }),
  add: returns(z.number()).method([z.number()], async (_context, a) => a + 1),
  // @ts-expect-error a number is declared
  name: returns(z.number()).method([], () => "bob"),
  count: returns(z.number()).stream([], async function* () {
    yield 1;
  }),
  names: authorize(signedIn)
    .returns(z.number())
    // @ts-expect-error numbers are declared
    .stream([], async function* () {
      yield "bob";
    }),
  endless: stream([], async function* () {}),
});
type AskingHub = typeof AskingHub;

const asking = connect<AskingHub>("/hubs/asking", {
  room: "group:lobby",
  handlers: { said: (user) => void user.length, confirm: async (question) => question === "Sure?" },
});
asking.invoke.add(1) satisfies Promise<number>;
asking.stream.count() satisfies AsyncIterable<number>;

/** An interface of one's own, which the data must have. */
hub<{ said(user: string): void }>("own", { client: clientMethods({ said: [z.string()] }) });
// @ts-expect-error the argument is no text
hub<{ said(user: string): void }>("own", { client: clientMethods({ said: [z.number()] }) });
// @ts-expect-error a method is missing
hub<{ said(user: string): void }>("own", { client: clientMethods({}) });

hub("rooms", { client: AskingClient })
  .state("group", { schema: z.object({ bids: z.number() }), initial: { bids: 0 } })
  .actions({
    bid: returns(z.number()).action([z.number()], ({ state, clients }, amount) => {
      clients.room.said("bob", 1);
      return (state.bids = amount);
    }),
    // @ts-expect-error a number is declared
    name: returns(z.number()).action([], () => "bob"),
    reset: action([], ({ state }) => void (state.bids = 0)),
  });
