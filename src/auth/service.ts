// Authentication of back ends (services): by a token of the configured issuer with the role `service`, or by a token
// signed with an access key.

import { HubError } from "../model/errors.ts";
import { withFacts } from "../model/refusal-facts.ts";
import { urlOf } from "../model/request-url.ts";
import { isService, type User } from "../model/user.ts";
import { canonicalUrl, canonicalUrls, verifySigned } from "./access-keys.ts";
import { checkOrigin, readToken } from "./authenticate.ts";
import { keyTenant } from "./claims.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { issuerOf } from "./issuers.ts";
import { checkForm, payloadOf, verify } from "./jwt.ts";

export interface Service {
  readonly tenant: string;
  /** A name for rate limits and logs: a key's number and tenant, or a user's id. */
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
  if (!issuerOf(payloadOf(token), config.issuers))
    return authenticateByKey(token, request, { env, nowMs });
  const user = await verify(token, config, nowMs);
  if (!isService(user))
    throw withFacts(
      new HubError("forbidden", "This is for services: the token lacks the role service."),
      () => ({
        expected: { roles: ["service"] },
        received: { user: user.id, roles: user.roles },
      }),
    );
  return { tenant: user.tenant, name: `user ${user.id}`, user };
}

async function authenticateByKey(
  token: string,
  request: Request,
  at: { readonly env: AuthEnv; readonly nowMs: number },
) {
  const { tenantClaim } = readConfig(at.env);
  const audience = { urls: canonicalUrls(urlOf(request)), canonical: canonicalUrl };
  const signed = await verifySigned(token, audience, at);
  const tenant = signed.tenant ?? keyTenant(signed.claims, tenantClaim);
  return { tenant, name: `${signed.key} of ${tenant}` };
}
