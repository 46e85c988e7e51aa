// The worker of project "counts": a hub with the defaults of all hubs, and objects that count what they cost.

import * as z from "zod";
import { grpc } from "../../src/grpc-server.ts";
import { action, hub, method, signedIn } from "../../src/hub.ts";
import { serve, type EndpointEnv } from "../../src/server.ts";
import { counter, type Kind } from "./counter.ts";
import { countCalls, instrument } from "./patches.ts";

interface Client {
  said(text: string): void;
}

const Text = z.string().max(4_000);
const Name = z.string().min(1).max(128);

const CountedHub = hub<Client>("counted", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
}).methods({
  echo: method([Text], (_context, text) => text),
  join: method([Name], ({ group }, name) => group(name).join()),
  say: method([Name, Text], async ({ clients }, name, text) => {
    await clients.group(name).said(text);
  }),
});

/** Its rooms have a state, which clients do not see: an action is all that happens. */
const SumHub = hub<Client>("sums", { rooms: { group: { enter: signedIn } } })
  .state("group", { schema: z.object({ sum: z.number() }), initial: { sum: 0 }, view: false })
  .actions({ add: action([z.number()], ({ state }, by) => (state.sum += by)) });

const served = serve([CountedHub, SumHub], { grpc });

const countedEnv = (env: EndpointEnv): EndpointEnv => ({
  ...env,
  ROOMS: countCalls(env.ROOMS, "room") as EndpointEnv["ROOMS"],
  RELAYS: countCalls(env.RELAYS, "relay") as EndpointEnv["RELAYS"],
  ACCOUNTS: countCalls(env.ACCOUNTS, "account") as EndpointEnv["ACCOUNTS"],
});

type Made = [ctx: DurableObjectState, env: EndpointEnv];

/** Runs before the constructors of ours, which read their storage. */
function counted(kind: Kind, [ctx, env]: Made): Made {
  instrument(ctx, { kind, name: ctx.id.name! });
  return [ctx, countedEnv(env)];
}

export class Room extends served.Room {
  constructor(...made: Made) {
    super(...counted("room", made));
  }

  override webSocketMessage(
    ...about: Parameters<InstanceType<typeof served.Room>["webSocketMessage"]>
  ) {
    counter.add("messages room");
    counter.use({ kind: "room", name: this.ctx.id.name! });
    return super.webSocketMessage(...about);
  }
}

export class Relay extends served.Relay {
  constructor(...made: Made) {
    super(...counted("relay", made));
  }

  override webSocketMessage(
    ...about: Parameters<InstanceType<typeof served.Relay>["webSocketMessage"]>
  ) {
    counter.add("messages relay");
    counter.use({ kind: "relay", name: this.ctx.id.name! });
    return super.webSocketMessage(...about);
  }
}

export class Account extends served.Account {
  constructor(...made: Made) {
    super(...counted("account", made));
  }
}

export default {
  fetch: (request: Request, env: EndpointEnv, ctx: ExecutionContext) =>
    served.endpoint.fetch(request, countedEnv(env), ctx),
};
