// Ids of guests. A guest is a user for the length of one connection. A SignalR connection consists of several requests:
// the guest's id is therefore the beginning of the connection token, whose proof is valid for that user only. The ids
// are public: a request counts as a guest's only after a relay has checked the proof.

import { isGuest, type User } from "../../model/user.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";

const GUEST = String.raw`guest-[\w-]{22}`;
const GUEST_ID = new RegExp(`^${GUEST}$`);
const GUEST_TOKEN = new RegExp(String.raw`^(?<guest>${GUEST})\.(?<token>.+)$`, "s");

/** The id of a guest: the one in a connection token, or a new one. */
export const guestId = (connectionToken: string): string =>
  GUEST_TOKEN.exec(connectionToken)?.groups?.["guest"] ?? `guest-${randomId()}`;

/** Whether a user id has the form of a guest's. */
export const isGuestId = (id: string): boolean => GUEST_ID.test(id);

/** The connection token as a client gets it: with the guest's id in front. */
export const tokenFor = (user: User, token: string): string =>
  isGuest(user) ? `${user.id}.${token}` : token;

/** The relay's own token, taken from the client's connection token. */
export const relayToken = (user: User, token: string): string =>
  isGuest(user) ? (GUEST_TOKEN.exec(token)?.groups?.["token"] ?? token) : token;
