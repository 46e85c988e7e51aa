// What a webhook may say of a user, by the same readers that read tokens.

import type { Grant } from "../model/user.ts";
import { readCaps } from "./caps.ts";
import { readChannels, readExpiry, readRoles } from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { LEEWAY_SECONDS } from "./jwt.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal } from "./auth-refusal.ts";

/** Who somebody is, and whose token it is, only the token says. */
const RESERVED = ["sub", "nameid", "tid", "iss", "aud", "iat", "nbf", "jti"] as const;

/** Throws `token_claim_invalid` where a claim has the wrong type or form, or is not for others to set. */
export function grantOf(
  claims: Readonly<Record<string, unknown>>,
  { userIdClaim, tenantClaim }: Pick<AuthConfig, "userIdClaim" | "tenantClaim">,
): Grant {
  const names = [...RESERVED, tenantClaim, ...(userIdClaim === undefined ? [] : [userIdClaim])];
  if (names.some((name) => Object.hasOwn(claims, name))) throw new Refusal("token_claim_invalid");
  const { role, roles, caps, channels, exp } = claims;
  const limits = readLimits(claims["limits"]);
  return {
    claims,
    ...((role !== undefined || roles !== undefined) && { roles: readRoles(claims) }),
    ...(caps !== undefined && { caps: readCaps(caps) }),
    ...(channels !== undefined && { channels: readChannels(channels) }),
    ...(limits && { limits }),
    ...(exp !== undefined && { expiresAt: readExpiry(exp, LEEWAY_SECONDS) }),
  };
}
