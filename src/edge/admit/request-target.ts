// The target of a request: the hub and the room that its path names, and the transport that its headers request.
//
// Rooms are at `/hubs/{hub}/{groups·orders·users}/{name}`, and at the address that partysocket uses,
// `/parties/{hub}/{kind}:{name}`: both name the same object. Routes do not tell transports apart, since one URL serves
// several.

import type { Hubs, ServedHub } from "../../dispatch/define/hub-tables.ts";
import { HubError } from "../../model/errors.ts";
import { withFacts } from "../../model/refusal-facts.ts";
import { urlOf } from "../../model/request-url.ts";

/**
 * The part of a URL's path that a pattern such as `/realtime/:region` matches: as many segments as it has. A slash at
 * the pattern's end is the one that the rest of the path begins with.
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

/** In quotes. The name is a stranger's: no answer repeats more of it than a person reads. */
const shortened = (name: string): string =>
  JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);

/**
 * The hub that a request names, as it was asked for; empty where it names none. Its route names it, or its URL does:
 * `/hubs/{hub}`, `/parties/{hub}`, or the query below `/client`, as Azure has it. Whether it is served is not checked.
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

/** Text that is not UTF-8 is not changed: no hub has such a name. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** As it stands in the path, decoded; whether the kind exists is checked by admission. */
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

/** Reads a path that one of the two routes matched; an unknown kind is empty. Throws `invalid_name`. */
export function roomPathOf(pathname: string): RoomPath {
  const [, root, , third = "", name = ""] = pathname.split("/");
  if (root === "parties") return partyPath(decodePathSegment(third));
  return { kind: PLURALS.get(third) ?? "", name: decodePathSegment(name) };
}

/**
 * The first colon ends the kind: names may have colons of their own. Without a colon the kind is empty, which admission
 * refuses with `room_kind_not_found`.
 */
function partyPath(room: string): RoomPath {
  const colon = room.indexOf(":");
  return { kind: room.slice(0, Math.max(colon, 0)), name: room.slice(colon + 1) };
}

/** Percent-decodes once, never twice: `%2541` is the name `%41`. Throws `invalid_name` for what is not UTF-8. */
export function decodePathSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HubError("invalid_name", "The path is not percent-encoded UTF-8.");
  }
}

/** An event stream, as EventSource asks for it. `*`-forms do not count: clients that poll send those as well. */
export const wantsEventStream = ({ headers }: Request): boolean =>
  headers.get("accept")?.toLowerCase().includes("text/event-stream") ?? false;
