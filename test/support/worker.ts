// The worker of project "workerd-extra": everything src/worker.ts serves, and hubs that only tests need. Test files
// named *.extra.test.ts run against it.

import { grpc } from "../../src/grpc-server.ts";
import { hubs, paths } from "../../src/hubs/index.ts";
import { OrderHub } from "../../src/hubs/orders.ts";
import { feed, jsonRpc, serve } from "../../src/server.ts";
import { AuthorHub } from "./author-hub.ts";
import { BoardHub } from "./database/board.ts";
import { DeclaredHub, DeclaredRooms } from "./declared-hub.ts";
import { DeliveryHub } from "./database/deliveries.ts";
import { ShopHub } from "./database/shop.ts";
import { testHubs } from "./hubs.ts";
import { LeavingHub } from "./leaving-hub.ts";
import { livelyHubs } from "./lively-hubs.ts";
import { modelledHubs } from "./modelled-hub.ts";
import { orderHubs } from "./order-hubs.ts";
import { StepwiseHub } from "./stepwise-hub.ts";
import { ParityHub } from "./parity-hub.ts";
import { relayHubs } from "./relay-hubs.ts";
import { RuntimeHub, runtimeFeed } from "./runtime-hub.ts";
import { GuestApartHub, GuestHub } from "./guest-hub.ts";
import { signalrHubs } from "./signalr-hubs.ts";
import { stateHubs } from "./state-hubs.ts";
import { SteeredBehindHub, SteeredHub } from "./steered-hub.ts";
import { TracedHub } from "./traced-hub.ts";
import { stateValueHubs } from "./state-value-hub.ts";
import { ValueHub } from "./value-hub.ts";

const ENDLESS: object[] = [];
ENDLESS.push(ENDLESS);

const { Room, Relay, Account, endpoint } = serve(
  [
    // The tests of rooms with state have an auction of their own.
    ...hubs.filter(({ name }) => name !== "auctions"),
    ...testHubs,
    ...signalrHubs,
    ValueHub,
    AuthorHub,
    ...relayHubs,
    ...livelyHubs,
    ...orderHubs,
    GuestHub,
    GuestApartHub,
    LeavingHub,
    ParityHub,
    DeclaredHub,
    DeclaredRooms,
    RuntimeHub,
    BoardHub,
    ShopHub,
    DeliveryHub,
    ...stateHubs,
    ...modelledHubs,
    SteeredHub,
    SteeredBehindHub,
    TracedHub,
    StepwiseHub,
    ...stateValueHubs,
  ],
  {
    grpc,
    userId: ({ sub, mailbox }) => (mailbox ?? sub) as string,
    paths: [
      ...paths,
      runtimeFeed,
      jsonRpc("/guests/rpc", GuestHub),
      feed("/guests/:name", GuestHub, {
        room: ({ params }) => `group:${params["name"]}`,
        events: { said: "heard" },
      }),
      feed("/guests/of/:name", GuestHub, {
        room: ({ params }) => `group:${params["name"]}`,
        events: {
          said: {
            name: "length",
            data: (text) => {
              if (text === "bad") throw new Error("No data of this.");
              return text === "endless" ? ENDLESS : text.length;
            },
          },
        },
      }),
      feed("/parity/of/:name{[a-z]{2}|[0-9]+}", ParityHub, {
        room: ({ params }) => `group:${params["name"]}`,
        events: { said: {} },
      }),
      feed("/parity/:kind{group|order}/:name", ParityHub, {
        room: ({ params }) => `${params["kind"]}:${params["name"]}`,
        events: { said: {} },
      }),
      feed("/any/:room", OrderHub, { room: ({ params }) => params["room"]!, events: {} }),
      feed("/updates/:id", OrderHub, {
        room: ({ params }) => `group:order-${params["id"]}`,
        events: { orderStatusChanged: {} },
      }),
    ],
  },
);

export { Account, Relay, Room };
export * from "./placed-worker.ts";
export { Stock } from "./database/stock.ts";
export default endpoint;
