// Where a claim is found in a token: under its own name, at a path, or under the long name that .NET writes for it.

import { LONG_ROLE } from "../model/user.ts";
import { isJsonObject } from "../protocols/json.ts";

const XML_SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";

/** .NET's `ClaimTypes` (docs/design/rest-and-tokens.md#to9). */
const NAME_IDENTIFIER = `${XML_SOAP}/nameidentifier`;
const NAME = `${XML_SOAP}/name`;

/** The short names that .NET reads as a long one: `DefaultInboundClaimTypeMap` of both its handlers. */
const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ["sub", NAME_IDENTIFIER],
  ["nameid", NAME_IDENTIFIER],
  ["unique_name", NAME],
  ["email", `${XML_SOAP}/emailaddress`],
  ["upn", `${XML_SOAP}/upn`],
  ["role", LONG_ROLE],
  ["roles", LONG_ROLE],
  ["tid", "http://schemas.microsoft.com/identity/claims/tenantid"],
  ["oid", "http://schemas.microsoft.com/identity/claims/objectidentifier"],
]);

/** The claims with the user's id, in order of precedence, where none is configured. */
export const USER_ID_NAMES: readonly string[] = ["sub", "nameid", NAME_IDENTIFIER];

/** The claims with roles where none is configured. Their texts are one role each, blanks included. */
export const ROLE_NAMES: readonly string[] = ["role", "roles", LONG_ROLE];

/**
 * All names under which a configured claim is looked up: first itself, then the long name of a short one, or the short
 * names of a long one. Not `name` for its long name: that is a display name, which .NET does not map either.
 */
export function namesOf(configured: string): readonly string[] {
  const long = configured === "name" ? NAME : LONG_NAMES.get(configured);
  if (long !== undefined) return [configured, long];
  const shorts = [...LONG_NAMES].filter(([, name]) => name === configured);
  return [configured, ...shorts.map(([short]) => short)];
}

/**
 * The value at a path such as `realm_access.roles`; undefined where it is absent or null. A name may itself have dots
 * (`https://example.com/roles`), so the longest own name is tried first. Inherited properties are never found.
 */
export function claimAt(claims: unknown, path: string): unknown {
  if (!isJsonObject(claims)) return undefined;
  const own = ownValue(claims, path);
  if (own !== undefined) return own;
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const value = claimAt(ownValue(claims, path.slice(0, dot)), path.slice(dot + 1));
    if (value !== undefined) return value;
  }
  return undefined;
}

const ownValue = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(claims, name) ? (claims[name] ?? undefined) : undefined;
