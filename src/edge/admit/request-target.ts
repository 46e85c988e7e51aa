// The target of a request: the hub and the room that its path names, and the transport that its headers request.
//
// Rooms are at `/hubs/{hub}/{groups·orders·users}/{name}`, and at the address that partysocket uses,
// `/parties/{hub}/{kind}:{name}`: both name the same object. Routes do not tell transports apart, since one URL serves
// several.

import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { withFacts } from "../../model/refusal-facts.ts";
import { urlOf } from "../../model/request-url.ts";
import type { User } from "../../model/user.ts";
import type { Domain } from "../../rooms/rpc/object-address.ts";

/**
 * The part of a URL's path that a pattern such as `/realtime/:region` matches: as many segments as the pattern has. A
 * slash at the pattern's end does not count: it begins the rest of the path.
 */
export function mountedAt(pattern: string, request: Request): string {
  if (pattern === "/" || pattern === "") return "";
  const { length } = pattern.replace(/\/$/, "").split("/");
  return urlOf(request).pathname.split("/").slice(0, length).join("/");
}

/** The path that the endpoint's own routes match, percent-encoded as it was sent. */
export const pathBelow = (request: Request, prefix: string): string =>
  urlOf(request).pathname.slice(prefix.length);

/** The hub of this name, in any case. Throws `hub_not_found`. */
export function servedHub(hubs: Hubs, name: string): ServedHub {
  const served = hubs.get(name.toLowerCase());
  if (!served)
    throw withFacts(new HubError("hub_not_found", `There is no hub ${shortened(name)}.`), () => ({
      expected: [...hubs.keys()],
      received: name,
    }));
  return served;
}

/** The tenant and the hub of an authenticated client. */
export const domainOf = (of: { readonly user: User; readonly served: ServedHub }): Domain => ({
  tenant: of.user.tenant,
  hub: of.served.name,
});

/** In quotes. The name comes from a client: no answer repeats more of it than a person would read. */
const shortened = (name: string): string =>
  JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);

/**
 * The hub that a request names, as it was written; empty if it names none. The hub is named by the route, or by the
 * URL: `/hubs/{hub}`, `/parties/{hub}`, or the query below `/client`, as Azure has it. That it exists is not checked.
 */
export function requestedHub(
  request: Request,
  { prefix, hub }: { readonly prefix: string; readonly hub?: string | undefined },
): string {
  if (hub !== undefined) return hub;
  const [, door = "", name = ""] = pathBelow(request, prefix).split("/");
  if (door === "client") return urlOf(request).searchParams.get("hub") ?? "";
  return HUB_DOORS.has(door) ? decoded(name) : "";
}

const HUB_DOORS: ReadonlySet<string> = new Set(["hubs", "parties"]);

/** Text that is not UTF-8 is returned unchanged: no hub has such a name. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A room as it is written in the path, decoded; admission checks whether the kind exists. */
interface RoomPath {
  readonly kind: string;
  readonly name: string;
}

/** The room `all` has no path: clients reach it as members of the hub. */
const PLURALS: ReadonlyMap<string, string> = new Map([
  ["groups", "group"],
  ["orders", "order"],
  ["users", "user"],
]);

/** Reads a path of either of the two forms above; an unknown kind becomes empty. Throws `invalid_name`. */
export function roomPathOf(pathname: string): RoomPath {
  const [, root, , third = "", name = ""] = pathname.split("/");
  if (root === "parties") return partyPath(decodePathSegment(third));
  return { kind: PLURALS.get(third) ?? "", name: decodePathSegment(name) };
}

/**
 * The first colon ends the kind: names may contain colons. Without a colon the kind is empty, which admission refuses
 * with `room_kind_not_found`.
 */
function partyPath(room: string): RoomPath {
  const colon = room.indexOf(":");
  return { kind: room.slice(0, Math.max(colon, 0)), name: room.slice(colon + 1) };
}

/** Percent-decodes once, never twice: `%2541` is the name `%41`. Throws `invalid_name` if the bytes are not UTF-8. */
export function decodePathSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HubError("invalid_name", "The path is not percent-encoded UTF-8.");
  }
}

/**
 * Whether `Accept` names event streams, as EventSource does. `*`-forms do not count: polling clients send those too.
 */
export const wantsEventStream = ({ headers }: Request): boolean =>
  headers.get("accept")?.toLowerCase().includes("text/event-stream") ?? false;
