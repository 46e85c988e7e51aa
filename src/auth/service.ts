// Which back end is asking: by a token of the endpoint's own issuer with the role `service`, or by one that it signed
// itself with an access key.

import { decodeJwt } from "jose";
import { HubError } from "../model/errors.ts";
import { canonicalName } from "../model/topic.ts";
import { isService, type User } from "../model/user.ts";
import { canonicalUrl, verifySigned } from "./access-keys.ts";
import { readToken } from "./authenticate.ts";
import { DEFAULT_TENANT } from "./claims.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { checkForm, verify } from "./jwt.ts";
import { checkOrigin } from "./origin.ts";
import { Refusal } from "./auth-refusal.ts";

export interface Service {
  readonly tenant: string;
  /** Who it is, for rates and logs: a key's number and tenant, or a user. */
  readonly name: string;
  /** Absent where it came with an access key. */
  readonly user?: User;
}

/** Throws a `Refusal`, or `forbidden` where a token of our issuer is no service's. */
export async function authenticateService(
  request: Request,
  env: AuthEnv,
  nowMs = Date.now(),
): Promise<Service> {
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  const token = readToken(request);
  checkForm(token);
  if (issuerOf(token) !== config.issuer) return byKey(token, request, env, nowMs);
  const user = await verify(token, config, nowMs);
  if (!isService(user)) throw new HubError("forbidden", "This is for services: a role is missing.");
  return { tenant: user.tenant, name: `user ${user.id}`, user };
}

/** Only chooses who judges the token. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw new Refusal("token_malformed");
  }
}

async function byKey(token: string, request: Request, env: AuthEnv, nowMs: number) {
  const { tenantClaim } = readConfig(env);
  const signed = await verifySigned(
    token,
    { url: canonicalUrl(request.url), canonical: canonicalUrl },
    env,
    nowMs,
  );
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
    // Refused like one that is no text.
  }
  throw new Refusal("token_claim_invalid");
}
