// Rooms in URLs: `/hubs/{hub}/{groups·orders·users}/{name}`, and the address that partysocket uses,
// `/parties/{hub}/{kind}:{name}`. Both name the same object. The hub is read by `requestedHub`.

import { HubError } from "../../model/errors.ts";

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
