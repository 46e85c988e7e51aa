// The parts that every door of the endpoint serves a request with. `endpoint(hubs)` makes what lives as long as the
// isolate; the environment comes with each request.

import type { AuthEnv, UserIdProvider } from "../../auth/authenticate.ts";
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
  /** Replaces the claim with the user's id. */
  readonly userId?: UserIdProvider | undefined;
  readonly env: Env;
  /** Where the endpoint is mounted: `/realtime`; empty at the root. Routes match what follows it. */
  readonly prefix: string;
  /** The hub of a path of the application's own, by name. Absent: the URL names the hub. */
  readonly hub?: string | undefined;
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

/**
 * The hub that a request names, as it was asked for; empty where it names none. Its route names it, or its URL does:
 * `/hubs/{hub}`, `/parties/{hub}`, or the query below `/client`, as Azure has it. Whether it is served is not checked.
 */
export function requestedHub(
  request: Request,
  { prefix, hub }: Pick<Serving, "prefix" | "hub">,
): string {
  if (hub !== undefined) return hub;
  const [, door = "", name = ""] = pathBelow(request, prefix).split("/");
  if (door === "client") return new URL(request.url).searchParams.get("hub") ?? "";
  return HUB_DOORS.has(door) ? decoded(name) : "";
}

const HUB_DOORS: ReadonlySet<string> = new Set(["hubs", "parties"]);

/** What is no UTF-8 stays as it is: it is the name of no hub. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Keeps the worker running until the work is done, also after its request has been answered or given up. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** The hub of this name, in any case. Throws `hub_not_found`. */
export function servedHub(hubs: Hubs, name: string): ServedHub {
  const served = hubs.get(name.toLowerCase());
  if (!served) throw new HubError("hub_not_found", "There is no such hub.");
  return served;
}
