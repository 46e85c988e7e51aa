// The user of a request: that of its token, or a guest where it has none and the hub admits guests (`anonymous`). A
// guest is a user for one connection. SignalR's connections consist of several requests: the guest's id is the
// beginning of the connection token, whose proof is valid for that user only.

import { authenticate, readToken } from "../../auth/authenticate.ts";
import { guestOf } from "../../auth/guest.ts";
import type { ServedHub } from "../../dispatch/define/hub-tables.ts";
import { isGuest, type User } from "../../model/user.ts";
import { randomId } from "../../rooms/rpc/object-names.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import type { Env } from "./serving.ts";

/**
 * Configuration and origin are checked in both cases. `served` is the hub that the request names; undefined where there
 * is none, which only clients with a token may learn. Throws what authentication throws.
 */
export async function userAt(
  request: Request,
  served: ServedHub | undefined,
  env: Env,
): Promise<User> {
  checkSetup(env, request.url);
  if (!served?.hub.settings.anonymous || readToken(request) !== "")
    return authenticate(request, env);
  const token = new URL(request.url).searchParams.get("id") ?? "";
  return guestOf(request, env, GUEST_TOKEN.exec(token)?.groups?.["guest"] ?? `guest-${randomId()}`);
}

const GUEST_TOKEN = /^(?<guest>guest-[\w-]{22})\.(?<token>.+)$/s;

/** The connection token as a client gets it. */
export const tokenFor = (user: User, token: string): string =>
  isGuest(user) ? `${user.id}.${token}` : token;

/** The relay's own token of a client's. */
export const relayToken = (user: User, token: string): string =>
  isGuest(user) ? (GUEST_TOKEN.exec(token)?.groups?.["token"] ?? token) : token;
