// The issuers whose tokens are accepted, and the one that a token names.

import type { ClaimNames } from "./claims.ts";
import type { KeySource } from "./keys.ts";
import type { WrittenClaims } from "./registered-claims.ts";

export interface Issuer extends ClaimNames {
  /** The required `iss`. Where it has `{tenantid}`, the token's `tid` is put in its place (Microsoft Entra ID). */
  readonly issuer: string;
  /** The token names one of them in `audienceClaim`. */
  readonly audiences: readonly string[];
  readonly audienceClaim: string;
  readonly keys: KeySource;
}

/** Stands for the id of a directory in the issuer of a multi-tenant application of Entra ID. */
export const TENANT_ID = "{tenantid}";
const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The issuer that a payload names, before its signature is verified: it selects the keys, and nothing more. */
export function issuerOf(
  { iss, tid }: WrittenClaims,
  issuers: readonly Issuer[],
): Issuer | undefined {
  return (
    issuers.find(({ issuer }) => issuer === iss && !issuer.includes(TENANT_ID)) ??
    issuers.find(
      ({ issuer }) =>
        typeof tid === "string" &&
        GUID.test(tid) &&
        issuer.includes(TENANT_ID) &&
        issuer.replace(TENANT_ID, tid) === iss,
    )
  );
}
