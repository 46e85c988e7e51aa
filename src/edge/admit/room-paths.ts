// How rooms are named in URLs: `/hubs/{hub}/{groups·orders·users}/{name}`, and partysocket's own address,
// `/parties/{hub}/{kind}:{name}`.

import { HubError } from "../../model/errors.ts";

export interface RoomPath {
  readonly hub: string;
  readonly kind: string;
  readonly name: string;
}

const PLURALS: ReadonlyMap<string, string> = new Map([
  ["groups", "group"],
  ["orders", "order"],
  ["users", "user"],
]);

/** Reads the path of a route of ours. Throws `invalid_name` where it is not percent-encoded UTF-8. */
export function roomPathOf(pathname: string): RoomPath {
  const [, root, hub = "", third = "", name = ""] = pathname.split("/");
  if (root === "parties") return partyOf(decode(hub), decode(third));
  return { hub: decode(hub), kind: PLURALS.get(third) ?? "", name: decode(name) };
}

function partyOf(hub: string, room: string): RoomPath {
  const colon = room.indexOf(":");
  return { hub, kind: room.slice(0, Math.max(colon, 0)), name: room.slice(colon + 1) };
}

/** Percent-decoded once, never twice. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HubError("invalid_name", "The path is not percent-encoded UTF-8.");
  }
}
