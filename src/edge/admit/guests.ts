// Ids of guests. A guest is a user for one connection, and SignalR's connections consist of several requests: the
// guest's id is the beginning of the connection token, whose proof is valid for that user only.

import { isGuest, type User } from "../../model/user.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";

const GUEST_TOKEN = /^(?<guest>guest-[\w-]{22})\.(?<token>.+)$/s;

/** The id of a request's guest: that of its connection token, or a new one. */
export function guestId({ url }: Request): string {
  const token = new URL(url).searchParams.get("id") ?? "";
  return GUEST_TOKEN.exec(token)?.groups?.["guest"] ?? `guest-${randomId()}`;
}

/** The connection token as a client gets it. */
export const tokenFor = (user: User, token: string): string =>
  isGuest(user) ? `${user.id}.${token}` : token;

/** The relay's own token of a client's. */
export const relayToken = (user: User, token: string): string =>
  isGuest(user) ? (GUEST_TOKEN.exec(token)?.groups?.["token"] ?? token) : token;
