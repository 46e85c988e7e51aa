// Code of an application with the state of rooms that must compile, and code that must not. Compiled by `npm run
// types`; never run.

import * as z from "zod";
import { action, hub, internal, method } from "../../src/hub.ts";
import { connect, roomOf, stateOf, type RoomState } from "../../src/state/index.ts";
import { connect as connectPlain } from "../../src/client/index.ts";
import { expect, type Equal } from "./equal.ts";

const Lot = z.object({ price: z.number(), leader: z.string().optional(), reserve: z.number() });
interface Client {
  outbid(price: number): void;
}
export const LotHub = hub<Client>("lots")
  .state("group", {
    schema: Lot,
    initial: { price: 0, reserve: 50 },
    view: ({ reserve: _, ...seen }) => seen,
  })
  .internal({ close: internal([], () => {}) })
  .actions({
    bid: action([z.number(), z.string().optional()], ({ state }, amount, _note) => {
      state.price = amount;
      return { at: new Date(), isFirst: true };
    }),
  })
  .methods({ hello: method([z.string()], (_context, name) => name.length) });
export type LotHub = typeof LotHub;

const lot = connect<LotHub>("/hubs/lots", {
  room: "group:vase",
  token: "t",
  handlers: { outbid: (price) => price.toFixed() },
  guesses: { bid: (state, amount) => void (state.price = amount) },
});
const { room } = lot;
expect<Equal<typeof room, RoomState<LotHub>>>();

// What clients see, without what the view hides.
expect<Equal<NonNullable<typeof room.state>["price"], number>>();
expect<Equal<"reserve" extends keyof NonNullable<typeof room.state> ? true : false, false>>();
room.onState(({ leader }) => leader satisfies string | undefined);
lot.state.status satisfies string;

// Actions as calls, with results as they are after the wire. Methods are called as ever.
expect<Equal<Parameters<typeof room.run.bid>, [amount: number, _note?: string | undefined]>>();
expect<Equal<Awaited<ReturnType<typeof room.run.bid>>, { at: string; isFirst: boolean }>>();
void room.with({ at: "e:1", idempotencyKey: "k", timeoutSeconds: 1 }).run.bid(1);
expect<Equal<Awaited<ReturnType<typeof lot.invoke.hello>>, number>>();
// @ts-expect-error clients do not change the state
room.state = undefined;
// @ts-expect-error there is no such action
void room.run.offer(1);
// @ts-expect-error only the room runs what is internal
void room.run.close();
// @ts-expect-error arguments follow the schemas
void room.run.bid("120");
// @ts-expect-error an action is run, not invoked
void lot.invoke.bid(1);
connect<LotHub>("", {
  ...{ room: "group:vase", token: "" },
  guesses: {
    // @ts-expect-error a guess knows what clients see
    bid: (state) => void (state.reserve = 1),
  },
});
connect<LotHub>("", {
  ...{ room: "group:vase", token: "" },
  // @ts-expect-error there is no such action to guess
  guesses: { offer: () => {} },
});
// @ts-expect-error the copy begins with a snapshot
connect<LotHub>("", { room: "group:vase", token: "", since: "e:1" });

// A whole hub, and rooms over any connection.
const lots = connect<LotHub>("/hubs/lots", { token: "t" });
expect<Equal<Awaited<ReturnType<typeof lots.join>>, RoomState<LotHub>>>();
expect<Equal<ReturnType<typeof lots.room>, RoomState<LotHub>>>();
const plain = connectPlain<LotHub>("/hubs/lots", { token: "t" });
expect<Equal<ReturnType<typeof stateOf<LotHub>>, RoomState<LotHub>>>();
stateOf(plain, "group:vase").run satisfies (typeof room)["run"];
stateOf(roomOf(plain, "group:vase"), "group:vase").state?.price satisfies number | undefined;
