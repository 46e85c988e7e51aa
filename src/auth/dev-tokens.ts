// Tokens for whoever asks: for the demo on this machine, and nowhere else.

import { SignJWT } from "jose";
import { HubError } from "../model/errors.ts";
import { canonicalName } from "../model/topic.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { checkOrigin } from "./origin.ts";

export interface DevTokenEnv extends AuthEnv {
  /** `1` gives tokens to everybody on this machine. Only ever in .dev.vars. */
  DEV_TOKENS?: string;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);
const HOUR_SECONDS = 3600;
/** What the demo may ask for; a role beyond these would be of no use to it. */
const ROLES = new Set(["Manager", "Admin"]);

/** `POST { user, role? }` → `{ token }`. Throws `not_found` wherever it is not switched on for this machine. */
export async function devToken(request: Request, env: DevTokenEnv): Promise<{ token: string }> {
  const isHere = LOOPBACK.has(new URL(request.url).hostname);
  if (env.DEV_TOKENS !== "1" || !isHere || !env.JWT_SECRET)
    throw new HubError("not_found", "Nothing is here.");
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  const { user, role } = await readBody(request);
  const token = await new SignJWT({
    ...(role !== undefined && { role }),
    ...(config.userIdClaim !== undefined && { [config.userIdClaim]: user }),
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuer(config.issuer)
    .setAudience(config.audience)
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
  const body = parse(text);
  const { user, role } = body;
  if (typeof user !== "string") throw new HubError("invalid_arguments", "user is missing.");
  if (role !== undefined && (typeof role !== "string" || !ROLES.has(role)))
    throw new HubError("invalid_arguments", `role is one of ${[...ROLES].join(", ")}.`);
  return { user: canonicalName(user), ...(role !== undefined && { role }) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Answered below like every other body that is no object.
  }
  throw new HubError("invalid_arguments", "The body is no JSON object.");
}
