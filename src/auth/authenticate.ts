// Authentication of clients, the same for every transport: configuration, then origin, then token.

import { clientNetwork } from "../model/client-network.ts";
import { withFacts } from "../model/refusal-facts.ts";
import { urlOf } from "../model/request-url.ts";
import type { User } from "../model/user.ts";
import { readConfig, type AuthEnv } from "./auth-config.ts";
import { DEFAULT_TENANT, MAX_DATE_MS, type UserIdProvider } from "./claims.ts";
import { verify } from "./jwt.ts";
import { Refusal } from "./auth-refusal.ts";

export type { AuthEnv } from "./auth-config.ts";
export type { UserIdProvider } from "./claims.ts";
export { LEEWAY_SECONDS } from "./jwt.ts";
export { claimHeader, nothingHere, Refusal, refusalResponse, type Reason } from "./auth-refusal.ts";

export interface Verification {
  /** Gives the user's id instead of the claim that has it by default. */
  readonly userId?: UserIdProvider | undefined;
  readonly now?: () => number;
}

/** The user of a request. Throws a `Refusal`, whose HTTP answer is `refusalResponse`. */
export async function authenticate(
  request: Request,
  env: AuthEnv,
  { userId, now = Date.now }: Verification = {},
): Promise<User> {
  const config = readConfig(env);
  checkOrigin(request, config.origins);
  return verify(readToken(request), { ...config, userId }, now());
}

/**
 * The guest for a request without a token, with this id; a guest never expires. Throws `misconfigured` or
 * `forbidden_origin`.
 */
export function guestOf(request: Request, env: AuthEnv, id: string): User {
  checkOrigin(request, readConfig(env).origins);
  return {
    ...{ id, tenant: DEFAULT_TENANT, roles: [], claims: {}, caps: [], channels: [] },
    expiresAt: MAX_DATE_MS,
    guestFrom: clientNetwork(request) ?? "",
  };
}

/** The user of a token without a request, when a connection refreshes its token. Throws a `Refusal`. */
export const verifyToken = async (
  token: string,
  env: AuthEnv,
  { userId, now = Date.now }: Verification = {},
): Promise<User> => verify(token, { ...readConfig(env), userId }, now());

/**
 * Throws `forbidden_origin` for a page whose origin is neither the server's own nor allowed. Requests without `Origin`
 * come from other programs than browsers, and pass; those of pages, which cannot read the answer, are refused. CORS
 * does not apply to WebSockets, so that every transport calls this function.
 */
export function checkOrigin(request: Request, allowed: ReadonlySet<string>): void {
  const origin = request.headers.get("origin");
  const passes = origin === null ? !isUnnamed(request) : allowed.has(origin);
  if (passes || origin === urlOf(request).origin) return;
  throw withFacts(new Refusal("forbidden_origin"), () => ({
    expected: [urlOf(request).origin, ...allowed],
    received: origin ?? "no-cors",
  }));
}

/**
 * Whether a page of another origin has sent a GET in the mode `no-cors` (`fetch`, `<img>`) or for a frame, for which
 * browsers send cookies but no `Origin` (Fetch §3.2). Without this check any page could open streams of guests in its
 * visitors' names. A visit by a link passes.
 */
const isUnnamed = ({ headers }: Request): boolean | undefined =>
  // `cross-site` and `same-site`, but not `same-origin`.
  headers.get("sec-fetch-site")?.endsWith("-site") &&
  /no-cors|navigate(?!document)/.test(
    `${headers.get("sec-fetch-mode")}${headers.get("sec-fetch-dest")}`,
  );

/**
 * The token of the `authorization` header, else of the query: browsers cannot set headers on WebSockets and
 * EventSources. Empty if there is none; throws `token_malformed` for two.
 */
export function readToken(request: Request): string {
  return readBearer(request.headers.get("authorization") ?? "") ?? readQuery(request);
}

const SCHEME = "bearer ";

const readBearer = (header: string): string | undefined =>
  header.slice(0, SCHEME.length).toLowerCase() === SCHEME
    ? header.slice(SCHEME.length).trim()
    : undefined;

/** RFC 6750 §2: two tokens are refused, since readers would disagree on which one counts. */
function readQuery(request: Request): string {
  const url = urlOf(request);
  if (url.search === "") return "";
  const [token = "", ...others] = url.searchParams.getAll("access_token");
  if (others.length > 0) throw new Refusal("token_malformed");
  return token;
}
