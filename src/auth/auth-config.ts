// The environment's settings for tokens and origins, validated as a whole: if one is missing or wrong, every request is
// refused with `misconfigured`.

import { cacheByValues } from "../model/environment.ts";
import { logError } from "../model/logger.ts";
import { readIssuer, readIssuers, type Issuer } from "./issuers.ts";
import { Refusal } from "./auth-refusal.ts";
import { VerifiedTokens } from "./verified-tokens.ts";

export interface AuthEnv {
  /** Secret of HS256, 32 bytes or more. Exactly one of this and `JWT_JWKS_URL` is set. */
  JWT_SECRET?: string;
  /** URL of the issuer's key set (RFC 7517): https, or http on a loopback host. */
  JWT_JWKS_URL?: string;
  /** The required `iss` of tokens. */
  JWT_ISSUER?: string;
  /** The required `aud` of tokens; if a token has several, one of them must match. */
  JWT_AUDIENCE?: string;
  /** Further issuers, or all issuers: a JSON array of objects (docs/settings.md#several-issuers). */
  JWT_ISSUERS?: string;
  /** Origins of pages that may connect, besides the server's own; separated by commas: `https://app.example`. */
  ALLOWED_ORIGINS?: string;
  /** The claim with the user's id, or a path to it. Absent: `sub`, else `nameid`, else .NET's long name. */
  USER_ID_CLAIM?: string;
  /** The claim with the roles, or a path to it. Absent: `role`, `roles` and .NET's long name together. */
  ROLES_CLAIM?: string;
  /** The claim with the tenant, or a path to it. Absent: `tid`. */
  TENANT_CLAIM?: string;
  /** The claim that must have the audience, or a path to it. Absent: `aud`. */
  AUDIENCE_CLAIM?: string;
  /** One or two keys of 32 bytes or more that services sign with, separated by a comma. */
  ACCESS_KEYS?: string;
}

export interface AuthConfig {
  readonly issuers: readonly Issuer[];
  readonly origins: ReadonlySet<string>;
  /** Tokens that were verified with these issuers' keys. */
  readonly verified: VerifiedTokens;
  /** The claim with the roles of tokens without an issuer: those signed with access keys. */
  readonly rolesClaim?: string;
  readonly tenantClaim: string;
  /** The claim with the user's id in tokens that this server issues itself, in development. */
  readonly userIdClaim?: string;
}

/** The variables that the cached configuration depends on. `ACCESS_KEYS` is read on its own, in access-keys.ts. */
const VARIABLES = [
  "JWT_SECRET",
  "JWT_JWKS_URL",
  "JWT_ISSUER",
  "JWT_AUDIENCE",
  "JWT_ISSUERS",
  "ALLOWED_ORIGINS",
  "USER_ID_CLAIM",
  "ROLES_CLAIM",
  "TENANT_CLAIM",
  "AUDIENCE_CLAIM",
] as const satisfies readonly (keyof AuthEnv)[];

/**
 * The configuration. Throws a `misconfigured` refusal and logs all problems in one line, by the names of variables and
 * never by their values. Cached by the values of all variables: fetched keys survive between requests, and keys of two
 * issuers never mix.
 */
export const readConfig = cacheByValues<AuthEnv, AuthConfig>(VARIABLES, checkConfig);

function checkConfig(env: AuthEnv): AuthConfig {
  const problems: string[] = [];
  const config = configOf(env, problems);
  return config ?? rejectConfig(problems.join(" "));
}

/** All problems of these variables, each a sentence that begins with a variable's name. Logs nothing. */
export function authProblems(env: AuthEnv): readonly string[] {
  const problems: string[] = [];
  configOf(env, problems);
  return problems;
}

/** Undefined if there is a problem; all problems are reported. */
function configOf(env: AuthEnv, problems: string[]): AuthConfig | undefined {
  const issuers = allIssuers(env, problems);
  const repeated = issuers.find(({ issuer }, at) =>
    issuers.slice(0, at).some((other) => other.issuer === issuer),
  );
  if (repeated) problems.push("JWT_ISSUERS names an issuer that is configured already.");
  const origins = readOrigins(env.ALLOWED_ORIGINS ?? "");
  if (!origins)
    problems.push(
      "ALLOWED_ORIGINS has an entry which is not an origin, such as https://app.example.",
    );
  if (problems.length > 0 || !origins) return undefined;
  return {
    issuers,
    origins,
    verified: new VerifiedTokens(),
    ...(env.USER_ID_CLAIM && { userIdClaim: env.USER_ID_CLAIM }),
    ...(env.ROLES_CLAIM && { rolesClaim: env.ROLES_CLAIM }),
    tenantClaim: env.TENANT_CLAIM || "tid",
  };
}

/** The issuer of the variables `JWT_…`, unless only `JWT_ISSUERS` is set, and the issuers of `JWT_ISSUERS`. */
function allIssuers(env: AuthEnv, problems: string[]): Issuer[] {
  const claims = {
    userIdClaim: env.USER_ID_CLAIM,
    rolesClaim: env.ROLES_CLAIM,
    tenantClaim: env.TENANT_CLAIM,
    audienceClaim: env.AUDIENCE_CLAIM,
  };
  const own = {
    issuer: env.JWT_ISSUER,
    audience: env.JWT_AUDIENCE,
    jwks: env.JWT_JWKS_URL,
    secret: env.JWT_SECRET,
  };
  const isSingle = !env.JWT_ISSUERS || Object.values(own).some(Boolean);
  const read = [
    isSingle ? readIssuer({ ...claims, ...own }, { problems, nameOf: variableOf }) : undefined,
    ...(env.JWT_ISSUERS ? readIssuers(env.JWT_ISSUERS, claims, problems) : []),
  ];
  return read.filter((issuer) => issuer !== undefined);
}

const OWN_VARIABLES: ReadonlyMap<string, keyof AuthEnv> = new Map([
  ["issuer", "JWT_ISSUER"],
  ["audience", "JWT_AUDIENCE"],
  ["jwks", "JWT_JWKS_URL"],
  ["secret", "JWT_SECRET"],
]);

const variableOf = (member: string): string => OWN_VARIABLES.get(member) ?? member;

/**
 * Parses origins separated by commas. Undefined if one is not written as browsers write it. Only whole origins are
 * compared: a pattern can match `https://any-app.example` where `https://app.example` is meant.
 */
export function readOrigins(text: string): ReadonlySet<string> | undefined {
  if (text.trim() === "") return new Set();
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.every(isOrigin) ? new Set(entries) : undefined;
}

/**
 * Whether a text is an origin as the header `Origin` has it. Paths, trailing slashes, capitals and default ports are
 * found by comparing with `URL`. A `*` is refused explicitly: hosts may contain it, but it looks like a pattern.
 */
const isOrigin = (entry: string): boolean =>
  /^https?:[^*]+$/.test(entry)
    ? URL.canParse(entry) && new URL(entry).origin === entry
    : APP_ORIGIN.test(entry);

/**
 * Origins of apps with a web view: `capacitor://localhost`, `ionic://localhost`, `app://main`; and `null`, the origin
 * of pages from files and of sandboxed frames.
 */
const APP_ORIGIN =
  /^(?:null|(?!(?:https?|wss?|ftp|file):)[a-z][a-z\d+.-]*:\/\/[a-z\d._-]+(?::\d{1,5})?)$/;

/** Logs the problem and refuses the request with `misconfigured`. */
export function rejectConfig(problem: string): never {
  logError("misconfigured", { problem });
  throw new Refusal("misconfigured");
}
