// Code of a service that must compile, and code that must not. Compiled by `npm run types`; never run.

import * as z from "zod";
import { backend, type Backend } from "../../src/client/backend/index.ts";
import { action, hub } from "../../src/hub.ts";
import type { OrderHub } from "../../src/hubs/orders.ts";
import type { PriceHub } from "../../src/hubs/prices.ts";
import { expect, type Equal } from "./equal.ts";

interface Asked {
  said(user: string, at: Date): void;
  confirm(question: string): Promise<boolean>;
  when(): Date;
}
export const AskingHub = hub<Asked>("asking", {
  answers: { confirm: z.boolean(), when: z.date() },
}).methods({});
export type AskingHub = typeof AskingHub;

const url = "https://h/hubs/asking";
const asking = backend<AskingHub>({ url, token: "t" });
expect<Equal<typeof asking, Backend<AskingHub>>>();

// Audiences of a service: as in hub code, but without a caller.
const { clients } = asking;
expect<Equal<typeof clients.all.said, (user: string, at: Date) => Promise<void>>>();
void clients.group("a", "b").said("bob", new Date());
void clients.except("c1").order("42").said("bob", new Date());
void clients.user("bob").said("bob", new Date());
void clients.connections("c1", "c2").said("bob", new Date());
// @ts-expect-error the client has no such method
void clients.all.shouted("bob");
// @ts-expect-error a user is a string
void clients.user("bob").said(1, new Date());
// @ts-expect-error an argument is missing
void clients.group("a").said("bob");
// @ts-expect-error there is no such audience
void clients.channel("a");
// @ts-expect-error a service has no caller
void clients.caller;
// @ts-expect-error without a caller there are no others
void clients.others;
// @ts-expect-error a group has a name
void clients.group(1);

// One client is sent a call, or invoked for its answer. Only methods with an answer can be invoked; answers are as they
// are after the wire.
const one = clients.connection("c1");
expect<Equal<typeof one.send.said, (user: string, at: Date) => Promise<void>>>();
expect<Equal<typeof one.send.confirm, (question: string) => Promise<void>>>();
expect<Equal<typeof one.invoke.confirm, (question: string) => Promise<boolean>>>();
expect<Equal<Awaited<ReturnType<typeof one.invoke.when>>, string>>();
// @ts-expect-error `send` or `invoke` must be chosen
void one.said("bob", new Date());
// @ts-expect-error the method has no answer
void one.invoke.said("bob", new Date());
// @ts-expect-error an audience of many has no answer
void clients.all.invoke;

// Calls by the method's name.
asking.publish("order:42", "said", ["bob", new Date()]) satisfies Promise<string>;
void asking.publish("all", "said", ["bob", new Date()], { except: ["c1"], idempotencyKey: "k" });
// @ts-expect-error there is no such kind
void asking.publish("lobby", "said", ["bob", new Date()]);
// @ts-expect-error the client has no such method
void asking.publish("order:42", "shouted", []);
// @ts-expect-error an argument is missing
void asking.publish("order:42", "said", ["bob"]);

/** Messages of the history, with arguments as they are after the wire. */
export async function reads(): Promise<void> {
  const { messages, position } = await asking.group("lobby").history({ since: "e:0", limit: 1 });
  for (const { method, params } of messages)
    if (method === "said") expect<Equal<typeof params, [user: string, at: string]>>();
  position satisfies string;
  for await (const { room, connections } of asking.rooms({ prefix: "order:" }))
    [room, connections] satisfies [string, number];
  const { members } = await asking.order("42").presence.list({ limit: 1 });
  members[0]?.userId satisfies string | undefined;
}

// Each kind of room has its own operations.
void asking.group("lobby").addUser("bob", { ttlSeconds: 60 });
void asking.user("bob").revoke({ issuedBefore: new Date() });
void asking.user("bob").disconnect({ reason: "bye", except: ["c1"] });
// @ts-expect-error an order is no group of users
void asking.order("42").addUser("bob");
// @ts-expect-error only users are banned
void asking.group("lobby").ban({ seconds: 1 });
// @ts-expect-error a number has no unit; a Date is required
void asking.user("bob").revoke({ issuedBefore: 1 });
// @ts-expect-error a duration is required
void asking.user("bob").ban({});
// @ts-expect-error users are disconnected
void asking.user("bob").close();

// Options: exactly one credential.
declare const binding: Fetcher;
backend<OrderHub>({ url, token: async () => "t", fetcher: binding });
backend<OrderHub>({ url, accessKey: "k", tenant: "acme" });
backend<OrderHub>({ connectionString: "Endpoint=…", hub: "orders" });
void backend<OrderHub>({ url, token: "t" }).with({ timeoutSeconds: 1, idempotencyKey: "k" });
// @ts-expect-error a credential is required
backend<OrderHub>({ url });
// @ts-expect-error a hub is required
backend<OrderHub>({ connectionString: "Endpoint=…" });
// @ts-expect-error there is no such option
asking.with({ retries: 3 });
// @ts-expect-error an idempotency key belongs to a single message
backend<OrderHub>({ url, token: "t", idempotencyKey: "k" });
// @ts-expect-error a hub without client methods cannot be published to
void backend<PriceHub>({ url, token: "t" }).clients.all.said;

// Rooms with state: actions and views as clients have them, and the whole state; on rooms of the stateful kind alone.
export const LotHub = hub("lots")
  .state("group", {
    schema: z.object({ price: z.number(), reserve: z.number() }),
    initial: { price: 0, reserve: 50 },
    view: ({ price }) => ({ price }),
  })
  .actions({ bid: action([z.number()], ({ state }, amount) => (state.price = amount)) });
const lots = backend<typeof LotHub>({ url, token: "t" });
expect<Equal<Parameters<ReturnType<typeof lots.group>["run"]["bid"]>, [amount: number]>>();
const lotState = async () => {
  const vase = lots.group("vase");
  const seen = await vase.view();
  expect<Equal<keyof typeof seen.state, "price">>();
  const { state, position } = await vase.state();
  (await vase.ifAt(position).run.bid(state.reserve)) satisfies number;
  await vase.import(await vase.export());
  // @ts-expect-error the action takes a number
  await vase.run.bid("7");
  // @ts-expect-error clients do not see it
  void seen.state.reserve;
};
void lotState;
// @ts-expect-error orders have no state
void lots.order("42").run;
// @ts-expect-error the hub has no rooms with state
void asking.group("a").view();

// States of presence have the type that the hub declares, as for clients.
export const TypingHub = hub("typing")
  .presenceState(z.object({ at: z.date() }))
  .methods({});
const shownIn = async () => {
  const { members } = await backend<typeof TypingHub>({ url, token: "t" })
    .order("1")
    .presence.list();
  expect<Equal<(typeof members)[number]["state"], { at: string } | null>>();
};
void shownIn;
