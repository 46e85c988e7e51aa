// Who is asking: the one door of every transport. Configuration, then origin, then token.

import type { User } from "../model/user.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { verify } from "./jwt.ts";
import { checkOrigin } from "./origin.ts";
import { Refusal } from "./auth-refusal.ts";

export type { AuthEnv } from "./auth-config.ts";
export { LEEWAY_SECONDS } from "./jwt.ts";
export { Refusal, refusalResponse, type Reason } from "./auth-refusal.ts";

/** The user behind a request. Throws a `Refusal`, for which `refusalResponse` has the answer. */
export async function authenticate(
  request: Request,
  env: AuthEnv,
  now: () => number = Date.now,
): Promise<User> {
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  return verify(readToken(request), config, now());
}

/** The user a token names, where there is no request: a connection brings a new token. Throws a `Refusal`. */
export const verifyToken = async (
  token: string,
  env: AuthEnv,
  now: () => number = Date.now,
): Promise<User> => verify(token, readConfig(env), now());

/** The header's token, else the query's: browsers can give WebSockets and EventSources no headers. */
export function readToken(request: Request): string {
  return readBearer(request.headers.get("authorization") ?? "") ?? readQuery(request.url);
}

const SCHEME = "bearer ";

const readBearer = (header: string): string | undefined =>
  header.slice(0, SCHEME.length).toLowerCase() === SCHEME
    ? header.slice(SCHEME.length).trim()
    : undefined;

/** Two tokens would leave it to chance which one counts (RFC 6750 §2). */
function readQuery(url: string): string {
  const [token = "", ...others] = new URL(url).searchParams.getAll("access_token");
  if (others.length > 0) throw new Refusal("token_malformed");
  return token;
}
