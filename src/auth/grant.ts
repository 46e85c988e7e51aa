// Reads the connect webhook's grant: changes to a user's claims, by the same readers that read tokens.

import type { Grant } from "../model/user.ts";
import { readCaps } from "./caps.ts";
import {
  claimAt,
  namesOf,
  ROLE_NAMES,
  USER_ID_NAMES,
  readChannels,
  readExpiry,
  readRoles,
} from "./claims.ts";
import type { AuthConfig } from "./auth-config.ts";
import { LEEWAY_SECONDS, timeOf } from "./jwt.ts";
import { readLimits } from "./claim-limits.ts";
import { refuseClaim } from "./auth-refusal.ts";

/** Claims of identity and validity, which only the token itself may set. */
const RESERVED = ["iss", "aud", "iat", "nbf", "jti", ...USER_ID_NAMES, ...namesOf("tid")];

/** Claims that the server itself reads. */
const READ = [...ROLE_NAMES, "caps", "channels", "limits", "exp"];

/**
 * The grant of some claims. Absent claims, and null for those that the server reads, leave the token's own unchanged.
 * Throws `token_claim_invalid` for a reserved claim, or one of the wrong type or form. Roles are in `role` and `roles`,
 * whatever the claims of tokens are called.
 */
export function readGrant(
  given: Readonly<Record<string, unknown>>,
  { issuers, tenantClaim }: Pick<AuthConfig, "issuers" | "tenantClaim">,
): Grant {
  const ofIssuers = issuers.flatMap((issuer) => [issuer.userIdClaim ?? "sub", issuer.tenantClaim]);
  const reserved = [...RESERVED, tenantClaim, ...ofIssuers];
  const absent = new Set([...reserved, ...READ].filter((name) => given[name] === null));
  const claims = Object.fromEntries(Object.entries(given).filter(([name]) => !absent.has(name)));
  for (const name of reserved)
    if (Object.hasOwn(claims, name) || claimAt(claims, name) !== undefined) refuseClaim(name);
  const roleClaims = ROLE_NAMES.filter((name) => claims[name] !== undefined);
  for (const name of roleClaims)
    if (![claims[name]].flat().every((role) => typeof role === "string")) refuseClaim(name);
  const { caps, channels } = claims;
  const exp = timeOf(claims, "exp");
  const limits = claims["limits"];
  return {
    claims,
    ...(roleClaims.length > 0 && { roles: readRoles(claims) }),
    ...(caps !== undefined && { caps: readCaps(caps) }),
    ...(channels !== undefined && { channels: readChannels(channels) }),
    ...(limits !== undefined && { limits: readLimits(limits) }),
    ...(exp !== undefined && { expiresAt: readExpiry(exp, LEEWAY_SECONDS) }),
  };
}
