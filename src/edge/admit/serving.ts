// The parts with which each protocol's handlers serve a request. `endpoint(hubs)` makes the parts that live as long as
// the isolate; the environment comes with each request.

import type { AuthEnv, UserIdProvider } from "../../auth/authenticate.ts";
import type { Hubs } from "../../dispatch/define/hub-tables.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type { Place } from "../../rooms/rpc/place.ts";
import type { PostedPings } from "./posted-pings.ts";
import type { RelayChoice } from "./relay-choice.ts";

export interface ConnectRateEnv {
  /** Limits the rate of new connections. Optional: without it only accounts limit the rate. */
  readonly CONNECT_LIMITER?: RateLimit;
}

/** Bindings and settings that admission needs. */
export type Env = AuthEnv & ObjectEnv & ConnectRateEnv;

export interface Serving {
  readonly hubs: Hubs;
  readonly relays: RelayChoice;
  readonly pings: PostedPings;
  /** Gives the user's id instead of the claim that has it by default. */
  readonly userId?: UserIdProvider | undefined;
  /** Where objects are. */
  readonly place?: Place | undefined;
  readonly env: Env;
  readonly waitUntil: WaitUntil;
  /** Where the endpoint is mounted: `/realtime`; empty at the root. Routes match what follows it. */
  readonly prefix: string;
  /** The hub of a path of the application's own, by name. Absent: the URL names the hub. */
  readonly hub?: string | undefined;
}

/** Keeps the worker running until the work is done, also after its request has been answered or given up. */
export type WaitUntil = (work: Promise<unknown>) => void;
