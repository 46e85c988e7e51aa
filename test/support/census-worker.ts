// The worker of worker.ts, and a count of how often its objects were made: one that wakes is made anew. Nothing is
// woken to tell it, for an isolate outlives the objects that sleep in it.

import type { EndpointEnv } from "../../src/server.ts";
import type { Census } from "./idle-clients.ts";
import endpoint, { Account, Relay as ServedRelay, Room as ServedRoom } from "./worker.ts";

export { Account };

type Made = ConstructorParameters<typeof ServedRoom>;

const made = { rooms: new Map<string, number>(), relays: new Map<string, number>() };

function count(of: Map<string, number>, { id }: DurableObjectState): void {
  of.set(id.name ?? "", (of.get(id.name ?? "") ?? 0) + 1);
}

export class Room extends ServedRoom {
  constructor(...[ctx, env]: Made) {
    super(ctx, env);
    count(made.rooms, ctx);
  }

  async sockets(): Promise<number> {
    return this.ctx.getWebSockets().length;
  }
}

export class Relay extends ServedRelay {
  constructor(...[ctx, env]: Made) {
    super(ctx, env);
    count(made.relays, ctx);
  }

  async sockets(): Promise<number> {
    return this.ctx.getWebSockets().length;
  }
}

/** What the worker has going: a stream's keep-alive. */
const intervals = new Set<unknown>();
const [begin, end] = [globalThis.setInterval, globalThis.clearInterval];
globalThis.setInterval = ((run: () => void, ms: number) => {
  const timer = begin(run, ms);
  intervals.add(timer);
  return timer;
}) as typeof setInterval;
globalThis.clearInterval = (timer) => {
  intervals.delete(timer);
  end(timer as number);
};

const census = (): Census => ({
  rooms: Object.fromEntries(made.rooms),
  relays: Object.fromEntries(made.relays),
  intervals: intervals.size,
});

const held = (objects: DurableObjectNamespace, name: string): Promise<number> =>
  (objects.getByName(name) as unknown as Pick<Room, "sockets">).sockets();

/** Wakes all there are. */
async function sockets({ ROOMS, RELAYS }: EndpointEnv): Promise<number> {
  const rooms = [...made.rooms.keys()].map((name) => held(ROOMS, name));
  const relays = [...made.relays.keys()].map((name) => held(RELAYS, name));
  return (await Promise.all([...rooms, ...relays])).reduce((sum, one) => sum + one, 0);
}

export default {
  async fetch(request: Request, env: EndpointEnv, ctx: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/census") return Response.json(census());
    if (pathname === "/census/sockets") return Response.json(await sockets(env));
    return endpoint.fetch(request, env, ctx);
  },
};
