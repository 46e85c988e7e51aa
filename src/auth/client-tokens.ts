// Clients that another application sends here: its own negotiate endpoint answered `{ url, accessToken }`, the token
// signed with an access key for `/client/?hub=` (Azure SignalR's serverless mode, docs/design/rest-and-tokens.md#az9).

import type { JWTPayload } from "jose";
import type { User } from "../model/user.ts";
import { canonicalUrl, verifySigned } from "./access-keys.ts";
import { readToken } from "./authenticate.ts";
import { userOf } from "./claims.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { LEEWAY_SECONDS } from "./jwt.ts";
import { checkOrigin } from "./origin.ts";
import { Refusal } from "./auth-refusal.ts";

/** Throws a `Refusal`: also for a token that is good for another hub. */
export async function authenticateClient(
  request: Request,
  env: AuthEnv,
  nowMs = Date.now(),
): Promise<User> {
  const { origins, tenantClaim } = readConfig(env);
  checkOrigin(request, origins);
  const token = readToken(request);
  const { origin, searchParams } = new URL(request.url);
  const here = clientUrl(
    `${origin}/client?hub=${encodeURIComponent(searchParams.get("hub") ?? "")}`,
  );
  const signed = await verifySigned(token, { url: here, canonical: clientUrl }, env, nowMs);
  const { tenant } = signed;
  const claims = {
    ...plain(signed.claims),
    sub: subjectOf(signed.claims, token),
    ...(tenant !== undefined && { [tenantClaim]: tenant }),
  };
  return userOf(claims, { tenantClaim }, LEEWAY_SECONDS);
}

/** The hub is part of what the token is for, in any case; other parts of the query are not. */
function clientUrl(text: string): string {
  const hub = URL.canParse(text) ? new URL(text).searchParams.get("hub") : null;
  return hub ? `${canonicalUrl(text)}?hub=${hub.toLowerCase()}` : "";
}

/** `asrs.s.` are the service's own words; an application's claims that would clash with them begin with `asrs.u.`. */
const plain = (claims: JWTPayload): JWTPayload =>
  Object.fromEntries(
    Object.entries(claims)
      .filter(([name]) => !name.startsWith("asrs.s."))
      .map(([name, value]) => [name.replace(/^asrs\.u\./, ""), value]),
  );

/** Who is nobody in particular is the same nobody for as long as the token lives. */
function subjectOf(claims: JWTPayload, token: string): string {
  const id: unknown = claims["asrs.s.uid"] ?? claims["nameid"] ?? claims.sub;
  if (id === undefined) return `anonymous-${token.split(".")[2]!.slice(0, ANONYMOUS_CHARS)}`;
  if (typeof id !== "string" || id === "") throw new Refusal("token_no_subject");
  return id;
}

/** 132 bits of the signature: nobody has them by chance, and nobody can make a signature from them. */
const ANONYMOUS_CHARS = 22;
