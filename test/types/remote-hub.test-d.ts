// A hub of signatures has the types of one whose source is there.

import { connect, events, type RemoteHub } from "../../src/client/index.ts";
import { connect as connectWithState } from "../../src/state/index.ts";

type ShopHub = RemoteHub<{
  methods: {
    buy(item: string, count?: number | undefined): { readonly total: number };
    upload(lines: AsyncIterable<{ readonly sku: string }>): unknown;
  };
  streams: { prices(symbol: string): AsyncIterable<number> };
  client: { sold(item: string): void };
  state: { readonly typing: boolean };
}>;

const shop = connect<ShopHub>("/hubs/shop", {
  room: "group:lobby",
  handlers: { sold: (item) => void item.length },
});
shop.invoke.buy("pen") satisfies Promise<{ readonly total: number }>;
shop.invoke.buy("pen", 2) satisfies Promise<{ readonly total: number }>;
// @ts-expect-error an item is a text
void shop.invoke.buy(1);
// @ts-expect-error a method that the hub does not have
void shop.invoke.sell("pen");
// @ts-expect-error a stream is no method
void shop.invoke.prices("ACME");
shop.stream.prices("ACME") satisfies AsyncIterable<number>;
async function* lines() {
  yield { sku: "a" };
}
void shop.invoke.upload(lines());
void shop.track({ typing: true });
// @ts-expect-error the client method has a text
shop.on("sold", (item: number) => item);
for await (const event of events<ShopHub>("/hubs/shop", { room: "group:lobby" }))
  if (event.method === "sold") event.params satisfies readonly [string];

/** Without client methods, which a document may not tell: any. */
type OpenHub = RemoteHub<{ methods: { add(a: number, b: number): unknown } }>;
const open = connect<OpenHub>("/hubs/open", { handlers: { anything: (value) => void value } });
open.invoke.add(1, 2) satisfies Promise<unknown>;
// @ts-expect-error two numbers
void open.invoke.add(1);

/** Rooms with state, for `dormouse-hubs/state`. */
type LotHub = RemoteHub<{
  methods: { hello(): string };
  actions: { bid(amount: number, note?: string): number };
  room: { kind: "group"; view: { readonly price: number } };
}>;
const lot = connectWithState<LotHub>("/hubs/lots", { room: "group:vase" });
lot.room.onState(({ price }) => price.toFixed());
lot.room.run.bid(1) satisfies Promise<number>;
void lot.invoke.hello();
// @ts-expect-error an amount is a number
void lot.room.run.bid("1");
for await (const event of events<LotHub>("/hubs/lots", { room: "group:vase" }))
  if (event.type === "state") event.state?.price satisfies number | undefined;
for await (const event of events<ShopHub>("/hubs/shop", { room: "group:a" }))
  // @ts-expect-error the hub has no rooms with state
  void (event.type === "state");
