// Tokens without credentials, for the demo: on a developer's machine for every name, and elsewhere only for guests
// (guest-tokens.ts).

import { SignJWT } from "jose";
import { textWithin } from "../model/bounded-read.ts";
import { isLoopback } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { isJsonObject, parseJson } from "../protocols/json.ts";
import { tokenUserId } from "../model/user.ts";
import { readConfig, type AuthConfig, type AuthEnv } from "./auth-config.ts";
import { checkOrigin, nothingHere } from "./authenticate.ts";
import { GUEST, type GuestRates, type GuestTokenEnv, type IssuedToken } from "./guest-tokens.ts";

export interface DevTokenEnv extends AuthEnv, GuestTokenEnv {
  /** `1` issues a token to every caller on a loopback host. Set in .dev.vars only. */
  DEV_TOKENS?: string;
}

/** A developer's token. The demo does not use other roles. */
const DEVELOPER: IssuedToken = { seconds: 3_600, roles: new Set(["Manager", "Admin"]) };

/**
 * Answers `POST { user, role? }` with `{ token }`. Throws `not_found` if neither kind of token is issued,
 * `rate_limited` for guests; `invalid_arguments` or `too_large` for the body.
 */
export async function devToken(
  request: Request,
  env: DevTokenEnv,
  guests: GuestRates,
): Promise<{ token: string }> {
  const isLocal = isLoopback(new URL(request.url).hostname);
  const isDeveloper = env.DEV_TOKENS === "1" && isLocal;
  const isOpen = isDeveloper || env.DEMO_GUESTS === "1";
  if (!isOpen || !env.JWT_SECRET || !env.JWT_ISSUER) throw nothingHere();
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  if (!isDeveloper) await guests.check(request, env);
  const issued = isDeveloper ? DEVELOPER : GUEST;
  const asked = await readBody(request, issued.roles);
  return { token: await signed({ ...issued, ...asked }, config, env) };
}

type Signed = IssuedToken & Asked;

const signed = (
  { user, role, tenant, seconds, claims }: Signed,
  config: AuthConfig,
  env: DevTokenEnv,
): Promise<string> =>
  new SignJWT({
    ...claims,
    ...(role !== undefined && { [config.rolesClaim ?? "role"]: role }),
    ...(config.userIdClaim !== undefined && { [config.userIdClaim]: user }),
    ...(tenant !== undefined && { [config.tenantClaim]: tenant }),
    ...(env.AUDIENCE_CLAIM && { [env.AUDIENCE_CLAIM]: env.JWT_AUDIENCE }),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuer(env.JWT_ISSUER!)
    .setAudience(env.JWT_AUDIENCE!)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .setJti(crypto.randomUUID())
    .sign(new TextEncoder().encode(env.JWT_SECRET));

const MAX_BODY = 1_024;

interface Asked {
  readonly user: string;
  readonly role?: string;
}

async function readBody(request: Request, roles: ReadonlySet<string>): Promise<Asked> {
  const body = parseJson(await textOf(request));
  if (!isJsonObject(body))
    throw new HubError("invalid_arguments", "The body is not a JSON object.");
  const { user, role } = body;
  if (typeof user !== "string") throw new HubError("invalid_arguments", "user is missing.");
  if (role !== undefined && (typeof role !== "string" || !roles.has(role)))
    throw new HubError("invalid_arguments", `role is one of ${[...roles].join(", ")}.`);
  return { user: tokenUserId(user), ...(role !== undefined && { role }) };
}

const tooLarge = () => new HubError("too_large", `A body has ${MAX_BODY} bytes at most.`);

/** Reads the body only up to its limit, since the client has no credentials. Empty if it is not UTF-8. */
async function textOf({ body }: Request): Promise<string> {
  try {
    return await textWithin(body, MAX_BODY, tooLarge);
  } catch (error) {
    if (error instanceof TypeError) return "";
    throw error;
  }
}
