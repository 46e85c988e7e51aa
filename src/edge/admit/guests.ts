// The user of a request: that of its token, or a guest where it has none and the hub admits guests (`anonymous`). A
// guest is a user for one connection. SignalR's connections consist of several requests: the guest's id is the
// beginning of the connection token, whose proof is valid for that user only. Ids of guests are public: a request counts
// as a guest's only where a relay checks the proof.

import { authenticate, readToken } from "../../auth/authenticate.ts";
import { guestOf } from "../../auth/guest.ts";
import type { ServedHub } from "../../dispatch/define/hub-tables.ts";
import { isGuest, type User } from "../../model/user.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";
import type { Env } from "./serving.ts";

/** The hub that a request names; undefined where there is none, which only clients with a token may learn. */
type NamedHub = ServedHub | undefined;

/**
 * The user of a request that begins a connection, or is all of one. Configuration and origin are checked for guests as
 * well. Throws what authentication throws.
 */
export const userAt = (request: Request, served: NamedHub, env: Env): Promise<User> =>
  identified({ request, served, env }, () => `guest-${randomId()}`);

/**
 * The user of a further request of a connection, as its connection token names a guest. The caller must pass the token
 * to its relay, and do nothing before the relay has found it genuine.
 */
export const returningUserAt = (
  request: Request,
  { served, env }: { readonly served: NamedHub; readonly env: Env },
  token: string,
): Promise<User> =>
  identified(
    { request, served, env },
    () => GUEST_TOKEN.exec(token)?.groups?.["guest"] ?? `guest-${randomId()}`,
  );

interface Unidentified {
  readonly request: Request;
  readonly served: NamedHub;
  readonly env: Env;
}

async function identified(
  { request, served, env }: Unidentified,
  guestId: () => string,
): Promise<User> {
  const admitsGuests = served?.hub.settings.anonymous === true;
  return admitsGuests && readToken(request) === ""
    ? guestOf(request, env, guestId())
    : authenticate(request, env);
}

const GUEST_TOKEN = /^(?<guest>guest-[\w-]{22})\.(?<token>.+)$/s;

/** The connection token as a client gets it. */
export const tokenFor = (user: User, token: string): string =>
  isGuest(user) ? `${user.id}.${token}` : token;

/** The relay's own token of a client's. */
export const relayToken = (user: User, token: string): string =>
  isGuest(user) ? (GUEST_TOKEN.exec(token)?.groups?.["token"] ?? token) : token;
