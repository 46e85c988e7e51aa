// Reads the connect webhook's grant: changes to a user's claims, by the same readers that read tokens.

import type { Grant } from "../model/user.ts";
import { readCaps } from "./caps.ts";
import { readChannels, readExpiry, readRoles } from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { LEEWAY_SECONDS } from "./jwt.ts";
import { readLimits } from "./claim-limits.ts";
import { Refusal } from "./auth-refusal.ts";

/** Claims of identity and validity. Only the token itself sets them. */
const RESERVED = ["sub", "nameid", "tid", "iss", "aud", "iat", "nbf", "jti"] as const;

/**
 * The grant of some claims; absent claims leave the token's own. Throws `token_claim_invalid` for a reserved claim, or
 * one of the wrong type or form.
 */
export function readGrant(
  claims: Readonly<Record<string, unknown>>,
  { userIdClaim, tenantClaim }: Pick<AuthConfig, "userIdClaim" | "tenantClaim">,
): Grant {
  const names = [...RESERVED, tenantClaim, ...(userIdClaim === undefined ? [] : [userIdClaim])];
  if (names.some((name) => Object.hasOwn(claims, name))) throw new Refusal("token_claim_invalid");
  const { role, roles, caps, channels, exp } = claims;
  const limits = claims["limits"];
  return {
    claims,
    ...((role !== undefined || roles !== undefined) && { roles: readRoles(claims) }),
    ...(caps !== undefined && { caps: readCaps(caps) }),
    ...(channels !== undefined && { channels: readChannels(channels) }),
    ...(limits !== undefined && { limits: readLimits(limits) }),
    ...(exp !== undefined && { expiresAt: readExpiry(exp, LEEWAY_SECONDS) }),
  };
}
