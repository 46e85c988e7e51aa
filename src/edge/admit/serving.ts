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
  /** Where the endpoint is mounted: `/realtime`; empty at the root. Routes match what follows it. */
  readonly prefix: string;
  /** The hub of a path of the application's own, by name. Absent: the URL names the hub. */
  readonly hub?: string;
}

/** The part of a URL's path that a pattern such as `/realtime/:region` matches: as many segments as it has. */
export function mountedAt(pattern: string, url: string): string {
  if (pattern === "/") return "";
  const { length } = pattern.split("/");
  return new URL(url).pathname.split("/").slice(0, length).join("/");
}

/** The path that the endpoint's own routes match, percent-encoded as it was sent. */
export const pathBelow = ({ url }: Request, prefix: string): string =>
  new URL(url).pathname.slice(prefix.length);

/** Keeps the worker running until the work is done, also after its request has been answered or given up. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** The hub of this name, in any case. Throws `hub_not_found`. */
export function servedHub(hubs: Hubs, name: string): ServedHub {
  const served = hubs.get(name.toLowerCase());
  if (!served) throw new HubError("hub_not_found", `There is no hub ${shortened(name)}.`);
  return served;
}

/** In quotes. The name is a stranger's: no answer repeats more of it than a person reads. */
const shortened = (name: string): string =>
  JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
