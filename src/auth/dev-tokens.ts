// Tokens without credentials, for the demo on a developer's machine and nowhere else.

import { SignJWT } from "jose";
import { isLoopback } from "../model/environment.ts";
import { HubError } from "../model/errors.ts";
import { isJsonObject, parseJson } from "../protocols/json.ts";
import { canonicalName } from "../model/topic.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { checkOrigin } from "./authenticate.ts";

export interface DevTokenEnv extends AuthEnv {
  /** `1` issues a token to every caller on a loopback host. Set in .dev.vars only. */
  DEV_TOKENS?: string;
}

const HOUR_SECONDS = 3600;
/** Roles that the demo may request; it has no use for others. */
const ROLES = new Set(["Manager", "Admin"]);

/**
 * Answers `POST { user, role? }` with `{ token }`, valid for an hour. Throws `not_found` unless it is enabled and
 * called on a loopback host; `invalid_arguments` or `too_large` for the body.
 */
export async function devToken(request: Request, env: DevTokenEnv): Promise<{ token: string }> {
  const isLocal = isLoopback(new URL(request.url).hostname);
  if (env.DEV_TOKENS !== "1" || !isLocal || !env.JWT_SECRET)
    throw new HubError("not_found", "Nothing is here.");
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  const { user, role } = await readBody(request);
  const token = await new SignJWT({
    ...(role !== undefined && { [config.rolesClaim ?? "role"]: role }),
    ...(config.userIdClaim !== undefined && { [config.userIdClaim]: user }),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuer(env.JWT_ISSUER!)
    .setAudience(env.JWT_AUDIENCE!)
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + HOUR_SECONDS)
    .setJti(crypto.randomUUID())
    .sign(new TextEncoder().encode(env.JWT_SECRET));
  return { token };
}

const MAX_BODY = 1_024;

async function readBody(request: Request): Promise<{ user: string; role?: string }> {
  const text = await request.text();
  if (text.length > MAX_BODY)
    throw new HubError("too_large", `A body has ${MAX_BODY} bytes at most.`);
  const body = parseJson(text);
  if (!isJsonObject(body)) throw new HubError("invalid_arguments", "The body is no JSON object.");
  const { user, role } = body;
  if (typeof user !== "string") throw new HubError("invalid_arguments", "user is missing.");
  if (role !== undefined && (typeof role !== "string" || !ROLES.has(role)))
    throw new HubError("invalid_arguments", `role is one of ${[...ROLES].join(", ")}.`);
  return { user: canonicalName(user), ...(role !== undefined && { role }) };
}
