// Our worker with hubs for the bench: nothing is different from a real one but the limits on callers.

import { z } from "zod";
import { verifyToken, type AuthEnv } from "../../src/auth/authenticate.ts";
import { dispatcher } from "../../src/dispatch/dispatcher.ts";
import { hub, method, type HubOptions } from "../../src/dispatch/hub.ts";
import { signedIn } from "../../src/dispatch/policies.ts";
import { tablesOf } from "../../src/dispatch/tables.ts";
import { endpoint, type EndpointEnv } from "../../src/edge/app.ts";
import { RoomObject } from "../../src/rooms/room.ts";

interface BenchClient {
  said(message: string): void;
}

/** One caller says here what many say elsewhere. */
const limits = {
  callsPerSecond: 1e9,
  callBurst: 1e9,
  queuedCalls: 100_000,
  connectionsPerUser: 1e6,
  queuedBytes: 64 * 1024 * 1024,
};

const Message = z.string().min(1).max(4_000);

const benchHub = (name: string, options: HubOptions<BenchClient>) =>
  hub<BenchClient>(name, {
    authorize: signedIn,
    rooms: { group: { enter: signedIn } },
    limits,
    ...options,
  }).methods({
    say: method([Message], async ({ clients, room }, message) => {
      await clients.group(room.name).said(message);
    }),
  });

const bare: HubOptions<BenchClient> = { presence: "none", reach: { all: false } };

const served = tablesOf([
  benchHub("full", {}),
  benchHub("logged", bare),
  benchHub("behind", { ...bare, durability: "behind" }),
  benchHub("none", { ...bare, history: false }),
]);

const receiver = dispatcher({
  hubs: served,
  verify: (token, env) => verifyToken(token, env as AuthEnv),
});

export class Room extends RoomObject<EndpointEnv> {
  constructor(ctx: DurableObjectState, env: EndpointEnv) {
    super(ctx, env, receiver);
  }
}

export default endpoint(served);
