// Where the page is: what its address names after `#`, so that the browser's own buttons and bookmarks work.

import { segment } from "../src/client/backend/backend-urls.ts";

export interface Shown {
  /** Absent: all hubs. */
  readonly hub?: string;
  /** A topic: `group:lobby`. Absent: the hub. */
  readonly room?: string;
}

/**
 * `#/chat/group%3Alobby`. A part that cannot be decoded is left as it is; one that addresses nothing, such as `..`, is as
 * if it were absent: links come from anywhere.
 */
export function shownAt(hash: string): Shown {
  const [hub, room] = hash.replace(/^#\/?/, "").split("/").map(decoded).map(addressed);
  return { ...(hub && { hub }), ...(hub && room && { room }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const addressed = (part: string): string => (/^\.{1,2}$/.test(part) ? "" : part);

export const hashOf = (...parts: readonly string[]): string =>
  `#/${parts.map(encodeURIComponent).join("/")}`;

/** Each throws where a name is `.` or `..`: `hubs/chat/users/../:closeConnections` is the whole hub's. */
export const hubPath = (hub: string): string => `hubs/${segment(hub)}`;
export const roomPath = (hub: string, room: string): string =>
  `${hubPath(hub)}/rooms/${segment(room)}`;
export const userPath = (hub: string, user: string): string =>
  `${hubPath(hub)}/users/${segment(user)}`;
