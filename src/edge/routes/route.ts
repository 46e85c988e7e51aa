// A row in the endpoint's table of routes, and the values that its handler gets.

import type { DevTokenEnv } from "../../auth/dev-tokens.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type { ConnectRateEnv } from "../admit/serving.ts";
import type { AdminPageEnv } from "../ops/admin-page.ts";
import type { RateEnv, ServiceRates } from "../rest/service-rate.ts";
import type { StreamServing } from "../stream/room-sources.ts";

/** Bindings and variables of the worker, as wrangler.toml declares them. */
export type EndpointEnv = DevTokenEnv & ObjectEnv & RateEnv & ConnectRateEnv & AdminPageEnv;

/** A request as routes handle it, with the memory of the isolate. */
export interface Call extends StreamServing {
  readonly request: Request;
  readonly env: EndpointEnv;
  readonly rates: ServiceRates;
  /** Parameters of the route's path. */
  params(): Readonly<Record<string, string>>;
}

export interface Route {
  /** `ALL` for any verb. `GET` answers `HEAD` as well, without a body. */
  readonly method: "GET" | "POST" | "OPTIONS" | "ALL" | (string & {});
  /** In Hono's syntax. */
  readonly paths: readonly string[];
  /** The name of the hub, for a path of the application's own. Absent: the URL names the hub, or there is none. */
  readonly hub?: string;
  /** Whether pages of the allowed origins may read the answer. */
  readonly cors: boolean;
  /** Whether an answer that is a refusal is logged by the router. Thrown errors always are. */
  readonly log: boolean;
  /** Whether errors are answered as sentences of plain text: SignalR's clients show the body unchanged. */
  readonly inWords?: boolean;
  handler(call: Call): Response | Promise<Response>;
}

/** Routes of a part that a worker may leave out. */
export type OptionalRoutes = (isolate: Isolate) => readonly Route[];

/** The memory that handlers keep between requests. Nothing in it is needed for correctness: isolates come and go. */
export type Isolate = Pick<
  Call,
  "hubs" | "relays" | "pings" | "frames" | "rates" | "userId" | "place"
>;
