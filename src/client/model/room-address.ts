// Turns the address of a hub and the name of a room into the URL parts that partysocket expects. Pure.

import { HubError } from "../../model/errors.ts";
import { parseTopic, type RoomKind } from "../../model/topic.ts";

/** A room's kind and name: `group:lobby`, `order:42`, `user:alice`. */
export type RoomText = `${RoomKind}:${string}`;

export interface Address {
  readonly protocol: "ws" | "wss";
  /** With the port, if there is one. */
  readonly host: string;
  /** The path without a leading slash. Replaces partysocket's own path, which does not encode names. */
  readonly basePath: string;
  /** The query parameters of the hub's address. */
  readonly query: Readonly<Record<string, string>>;
}

/**
 * `hub` is a path on the page's host (`/hubs/chat`) or an absolute `http(s)` or `ws(s)` URL. Without a `room` the
 * result is the address of the whole hub. `page` is the URL that a path is relative to.
 *
 * Throws `invalid_name` or `room_kind_not_found` for the room, and a TypeError if `hub` is not a valid URL.
 */
export function addressOf(hub: string, room: string | undefined, page?: string): Address {
  // React Native's URL parses hosts only of http and https URLs [CP1].
  const { protocol, host, pathname, searchParams } = new URL(
    hub.replace(/^ws(?=s?:)/, "http"),
    page,
  );
  if (!host) throw new TypeError(`${hub} is not an absolute URL.`);
  return {
    protocol: protocol === "http:" ? "ws" : "wss",
    host,
    basePath: `${pathname.replace(/^\/+|\/+$/g, "")}/${room === undefined ? "rpc" : roomPath(room)}`,
    query: Object.fromEntries(searchParams),
  };
}

function roomPath(room: string): string {
  const { kind, name } = parseTopic(room);
  if (kind === "all")
    throw new HubError("invalid_name", "A room begins with its kind: group:lobby.");
  return `${kind}s/${encodeURIComponent(name)}`;
}
