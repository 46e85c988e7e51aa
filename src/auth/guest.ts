// Guests: users without a token, at hubs that admit them.

import { clientNetwork } from "../model/client-network.ts";
import type { User } from "../model/user.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { DEFAULT_TENANT } from "./claims.ts";
import { checkOrigin } from "./origin.ts";

/** The latest time that a `Date` has, in milliseconds: a guest has no token that expires. */
const NEVER = 8.64e15;

/** The guest of a request, with this id. Throws `misconfigured` or `forbidden_origin`. */
export function guestOf(request: Request, env: AuthEnv, id: string): User {
  checkOrigin(request, readConfig(env).origins);
  return {
    ...{ id, tenant: DEFAULT_TENANT, roles: [], claims: {}, caps: [], channels: [] },
    expiresAt: NEVER,
    guestFrom: clientNetwork(request) ?? "",
  };
}
