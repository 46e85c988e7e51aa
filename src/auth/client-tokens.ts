// Tokens of clients that another application redirects here: its negotiate endpoint answers `{ url, accessToken }`, the
// token signed with an access key for `/client/?hub=` (serverless mode of Azure SignalR)
// (docs/design/rest-and-tokens.md#az9).

import type { JWTPayload } from "jose";
import { urlOf } from "../model/request-url.ts";
import type { User } from "../model/user.ts";
import { canonicalUrl, canonicalUrls, verifySigned } from "./access-keys.ts";
import { checkOrigin, readToken } from "./authenticate.ts";
import { keyTenant, readText, userOf } from "./claims.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { LEEWAY_SECONDS } from "./jwt.ts";
import { Refusal } from "./auth-refusal.ts";

/** The user of such a request. Throws a `Refusal`, even for a token of another hub. */
export async function authenticateClient(
  request: Request,
  env: AuthEnv,
  nowMs = Date.now(),
): Promise<User> {
  const { origins, tenantClaim, rolesClaim } = readConfig(env);
  checkOrigin(request, origins);
  const token = readToken(request);
  const urls = audiencesOf(request);
  const signed = await verifySigned(token, { urls, canonical: clientUrl }, { env, nowMs });
  const { tenant } = signed;
  const claims = {
    ...applicationClaims(signed.claims),
    sub: subjectOf(signed.claims, token),
    ...(tenant !== undefined && { [tenantClaim]: tenant }),
  };
  const names = { tenantClaim, tenant: keyTenant(claims, tenantClaim) };
  const roles = rolesClaim !== undefined && { rolesClaim };
  return userOf(claims, { ...names, ...roles }, LEEWAY_SECONDS);
}

/** The valid audiences for the URL of the client's request, without the part that SignalR appends to the path. */
function audiencesOf(request: Request): string[] {
  const url = urlOf(request);
  const path = url.pathname.replace(/\/(?:(?:negotiate|refresh)\/?)?$/i, "");
  return canonicalUrls(url, path).map((own) => audience(own, url));
}

/** The audience: path and hub. Names of hubs are in lower case. Other query parameters do not count. */
function audience(canonical: string, { searchParams }: URL): string {
  const hub = searchParams.get("hub");
  return hub ? `${canonical}?hub=${hub.toLowerCase()}` : "";
}

/** The audience in a token, in the form of `audience`. */
function clientUrl(text: string): string {
  const url = URL.parse(text);
  return url ? audience(canonicalUrl(text), url) : "";
}

/**
 * Azure's SDK prefixes claims for the service itself with `asrs.s.`, and claims of the application that would collide
 * with the token's own (`exp`, `iat`, …) with `asrs.u.`. The former are dropped; the latter lose the prefix, unless the
 * token has a claim of that name, because its own times decide when it expires and whether it is revoked.
 */
function applicationClaims(claims: JWTPayload): JWTPayload {
  const entries = Object.entries(claims).filter(([name]) => !name.startsWith("asrs.s."));
  const renamed = entries.map(([name, value]) => [name.replace(/^asrs\.u\./, ""), value]);
  // The token's own claims come last, so that they take precedence.
  const own = entries.filter(([name]) => !name.startsWith("asrs.u."));
  return Object.fromEntries([...renamed, ...own]);
}

/**
 * The user's id. An anonymous user is identified by the token's signature, and thus keeps its id for the lifetime of
 * the token. Throws `token_no_subject` for an empty id.
 */
function subjectOf(claims: JWTPayload, token: string): string {
  const claim = ["asrs.s.uid", "nameid", "sub"].find((name) => Object.hasOwn(claims, name));
  if (claim === undefined) return `anonymous-${token.split(".")[2]!.slice(0, ANONYMOUS_CHARS)}`;
  const id = readText(claim, claims[claim]);
  if (id === "") throw new Refusal("token_no_subject", { claim });
  return id;
}

/** Characters of the signature in an anonymous id: 132 bits, too many to collide, too few to forge the signature. */
const ANONYMOUS_CHARS = 22;
