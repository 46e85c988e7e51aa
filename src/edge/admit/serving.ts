// The parts that every door of the endpoint serves a request with. `endpoint(hubs)` makes what lives as long as the
// isolate; the environment comes with each request.

import type { AuthEnv } from "../../auth/authenticate.ts";
import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type { ConnectRateEnv } from "./connect-rate.ts";
import type { RelayChoice } from "./relay-choice.ts";

/** Bindings and settings that admission needs. */
export type Env = AuthEnv & ObjectEnv & ConnectRateEnv;

export interface Serving {
  readonly hubs: Hubs;
  readonly relays: RelayChoice;
  readonly env: Env;
  /** The hub of a path of the application's own, by name. Absent: the URL names the hub. */
  readonly hub?: string;
}

/** Keeps the worker running until the work is done, also after its request has been answered or given up. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** The hub of this name, in any case. Throws `hub_not_found`. */
export function servedHub(hubs: Hubs, name: string): ServedHub {
  const served = hubs.get(name.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  return served;
}
