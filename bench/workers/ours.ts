// Our worker with hubs for the bench. Only the limits on callers differ from a real one.

import * as z from "zod";
import { grpc } from "../../src/grpc-server.ts";
import { action, hub, method, signedIn, type HubOptions } from "../../src/hub.ts";
import { serve } from "../../src/server.ts";

interface BenchClient {
  said(message: string): void;
}

/** One caller publishes as much here as many do elsewhere. */
const limits = {
  callsPerSecond: 1e9,
  callBurst: 1e9,
  queuedCalls: 100_000,
  bytesPerSecond: 1e9,
  heldByConnection: 1e9,
  heldByUser: 1e9,
  heldByObject: 1e9,
  connectionsPerUser: 1e6,
  connectsPerSecond: 1e9,
  connectBurst: 1e9,
  queuedBytes: 64 * 1024 * 1024,
};

const Room = z.string().min(1).max(128);
const Message = z.string().min(1).max(4_000);

const settings = (options: HubOptions<BenchClient>): HubOptions<BenchClient> => ({
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
  limits,
  ...options,
});

/** A hub with sockets directly on its rooms. */
const roomHub = (name: string, options: HubOptions<BenchClient>) =>
  hub<BenchClient>(name, settings(options)).methods({
    say: method([Message], async ({ clients, room }, message) => {
      await clients.group(room.name).said(message);
    }),
    echo: method([Message], (_context, message) => message),
  });

/** Without the features that are on by default. */
const plain: HubOptions<BenchClient> = {
  presence: "none",
  reach: { all: false, users: false },
};

/** A hub for SignalR clients: on a relay, one hop from the same kind of room. */
const relayedHub = (name: string, options: HubOptions<BenchClient>) =>
  hub<BenchClient>(name, settings(options)).methods({
    join: method([Room], ({ group }, room) => group(room).join()),
    say: method([Room, Message], async ({ clients }, room, message) => {
      await clients.group(room).said(message);
    }),
    echo: method([Message], (_context, message) => message),
  });

/** A hub whose rooms have a state, which clients are shown or not. */
const stateHub = (name: string, isShown: boolean) =>
  hub<BenchClient>(name, settings({}))
    .state("group", {
      schema: z.object({ title: z.string(), sum: z.number() }),
      initial: { title: "A sum", sum: 0 },
      ...(!isShown && { view: false }),
    })
    .actions({
      add: action([z.number()], ({ state }, by) => (state.sum += by)),
      set: action([z.number()], ({ state }, to) => void (state.sum = to)),
    });

const served = serve(
  [
    roomHub("logged", {}),
    roomHub("behind", { durability: "behind" }),
    roomHub("none", { history: false }),
    roomHub("plain", plain),
    roomHub("deep", { history: { size: 100_000, ttlSeconds: 86_400 } }),
    relayedHub("relayed", {}),
    relayedHub("relayed-plain", plain),
    stateHub("state", false),
    stateHub("state-shown", true),
  ],
  { grpc },
);

const { Room: RoomObject, Relay, Account, endpoint } = served;
export { Account, Relay, RoomObject as Room };
export default endpoint;
