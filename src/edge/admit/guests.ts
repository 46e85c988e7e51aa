// Ids of guests. A guest is a user for one connection, and SignalR's connections consist of several requests: the
// guest's id is the beginning of the connection token, whose proof is valid for that user only. The ids are public: a
// request counts as a guest's only where a relay checks the proof.

import { isGuest, type User } from "../../model/user.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";

const GUEST = String.raw`guest-[\w-]{22}`;
const GUEST_ID = new RegExp(`^${GUEST}$`);
const GUEST_TOKEN = new RegExp(String.raw`^(?<guest>${GUEST})\.(?<token>.+)$`, "s");

/** The id of a guest: that of a connection token, or a new one. */
export const guestId = (connectionToken: string): string =>
  GUEST_TOKEN.exec(connectionToken)?.groups?.["guest"] ?? `guest-${randomId()}`;

/** Whether an id has the form of a guest's. */
export const isGuestId = (id: string): boolean => GUEST_ID.test(id);

/** The connection token as a client gets it. */
export const tokenFor = (user: User, token: string): string =>
  isGuest(user) ? `${user.id}.${token}` : token;

/** The relay's own token of a client's. */
export const relayToken = (user: User, token: string): string =>
  isGuest(user) ? (GUEST_TOKEN.exec(token)?.groups?.["token"] ?? token) : token;
