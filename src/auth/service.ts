// Authentication of back ends (services): by a token of the configured issuer with the role `service`, or by a token
// signed with an access key.

import { decodeJwt } from "jose";
import { HubError } from "../model/errors.ts";
import { canonicalName } from "../model/topic.ts";
import { isService, type User } from "../model/user.ts";
import { canonicalUrl, verifySigned, withoutPort } from "./access-keys.ts";
import { readToken } from "./authenticate.ts";
import { DEFAULT_TENANT } from "./claims.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { checkForm, verify } from "./jwt.ts";
import { checkOrigin } from "./origin.ts";
import { Refusal } from "./auth-refusal.ts";

export interface Service {
  readonly tenant: string;
  /** For rate limits and logs: a key's number and tenant, or a user's id. */
  readonly name: string;
  /** Absent for tokens signed with an access key. */
  readonly user?: User;
}

/** The service of a request. Throws a `Refusal`, or `forbidden` for a token of the issuer without the role. */
export async function authenticateService(
  request: Request,
  env: AuthEnv,
  nowMs = Date.now(),
): Promise<Service> {
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  const token = readToken(request);
  checkForm(token);
  if (issuerOf(token) !== config.issuer) return authenticateByKey(token, request, { env, nowMs });
  const user = await verify(token, config, nowMs);
  if (!isService(user)) throw new HubError("forbidden", "This is for services: a role is missing.");
  return { tenant: user.tenant, name: `user ${user.id}`, user };
}

/** The unverified issuer. It only selects the way of verification. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw new Refusal("token_malformed");
  }
}

async function authenticateByKey(
  token: string,
  request: Request,
  at: { readonly env: AuthEnv; readonly nowMs: number },
) {
  const { tenantClaim } = readConfig(at.env);
  const urls = withoutPort(request.url).map(canonicalUrl);
  const audience = { urls, canonical: canonicalUrl };
  const signed = await verifySigned(token, audience, at);
  const claimed = Object.hasOwn(signed.claims, tenantClaim)
    ? signed.claims[tenantClaim]
    : undefined;
  const tenant = signed.tenant ?? tenantNamed(claimed);
  return { tenant, name: `${signed.key} of ${tenant}` };
}

function tenantNamed(value: unknown): string {
  if (value === undefined) return DEFAULT_TENANT;
  try {
    if (typeof value === "string") return canonicalName(value);
  } catch {
    // An invalid name is refused like any other value.
  }
  throw new Refusal("token_claim_invalid");
}
