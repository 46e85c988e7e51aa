// Where a room is: a hub's address and a room's name, as partysocket wants them. Pure.

import { HubError } from "../../model/errors.ts";
import { parseTopic, type RoomKind } from "../../model/topic.ts";

/** `group:lobby`, `order:42`, `user:alice`. */
export type RoomText = `${RoomKind}:${string}`;

export interface Address {
  readonly protocol: "ws" | "wss";
  readonly host: string;
  /** In place of partysocket's own path, which does not encode names. */
  readonly basePath: string;
  /** What the hub's address carries behind its `?`. */
  readonly query: Readonly<Record<string, string>>;
}

/**
 * `hub` is `/hubs/chat` on the page's own host, or a whole `http(s)` or `ws(s)` address; without a room it is the hub
 * as a whole that is meant. Throws `invalid_name`,
 * `room_kind_not_found`, or a TypeError where the address is none.
 */
export function addressOf(hub: string, room: string | undefined, page?: string): Address {
  const { protocol, host, pathname, searchParams } = new URL(hub, page);
  return {
    protocol: /^(http|ws):$/.test(protocol) ? "ws" : "wss",
    host,
    basePath: `${pathname.replace(/^\/+|\/+$/g, "")}/${room === undefined ? "rpc" : roomPath(room)}`,
    query: Object.fromEntries(searchParams),
  };
}

function roomPath(room: string): string {
  const { kind, name } = parseTopic(room);
  if (kind === "all") throw new HubError("invalid_name", "A room is a group, an order or a user.");
  // URLs drop these two from paths, percent-encoded or not.
  if (name === "." || name === "..")
    throw new HubError("invalid_name", "A room named . or .. has no address.");
  return `${kind}s/${encodeURIComponent(name)}`;
}
