// Hubs whose objects are placed. The engine has no jurisdictions, so each is a namespace of its own here: what the
// platform calls `ROOMS.jurisdiction("eu")` is the binding EU_ROOMS, with classes, ids and storage of its own.

import { hubs, paths } from "../../src/hubs/index.ts";
import { serve, type EndpointEnv } from "../../src/server.ts";

/** What was asked of the namespaces of the worker: `eu default/chat/group/lobby weur`. */
export const asked: string[] = [];

export const served = serve(hubs, {
  paths,
  place: {
    jurisdiction: ({ tenant }) => (tenant.startsWith("eu-") ? "eu" : undefined),
    locationHint: ({ room }) =>
      room === undefined ? undefined : room === "group:tokyo" ? "apac" : "weur",
  },
});

/** The bindings of a worker on a platform that has the jurisdiction `eu`, and refuses others. */
export function placedEnv(env: Cloudflare.Env): EndpointEnv {
  return {
    ...(env as unknown as EndpointEnv),
    ROOMS: within(env.PLACED_ROOMS, env.EU_ROOMS),
    RELAYS: within(env.PLACED_RELAYS, env.EU_RELAYS),
    ACCOUNTS: within(env.PLACED_ACCOUNTS, env.EU_ACCOUNTS),
  };
}

type Namespace = Pick<DurableObjectNamespace, "getByName" | "idFromName" | "jurisdiction">;

const noted = (
  namespace: DurableObjectNamespace,
  jurisdiction: string,
): Pick<Namespace, "getByName" | "idFromName"> => ({
  getByName(name, options) {
    asked.push([jurisdiction, name, options?.locationHint ?? "-"].join(" "));
    return namespace.getByName(name, options);
  },
  idFromName: (name) => namespace.idFromName(name),
});

const within = (plain: DurableObjectNamespace, eu: DurableObjectNamespace) =>
  ({
    ...noted(plain, "any"),
    jurisdiction(name: string) {
      if (name !== "eu") throw new TypeError(`There is no jurisdiction ${name}.`);
      return noted(eu, "eu");
    },
  }) as Namespace as DurableObjectNamespace;

export class PlacedRoom extends served.Room {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, placedEnv(env));
  }
}
export class PlacedRelay extends served.Relay {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, placedEnv(env));
  }
}
export class PlacedAccount extends served.Account {
  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    super(ctx, placedEnv(env));
  }
}
export class EuRoom extends PlacedRoom {}
export class EuRelay extends PlacedRelay {}
export class EuAccount extends PlacedAccount {}
