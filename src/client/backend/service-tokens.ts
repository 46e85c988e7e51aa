// Tokens of a service: from the application, or signed with an access key for the URL of each request.

import { SignJWT } from "jose";
import { givenToken, noToken, renewInMs, type Token } from "../transport/credentials.ts";
import type { BackendOptions } from "./backend-options.ts";
import { parseConnectionString } from "./backend-urls.ts";

/**
 * Resolves with a token for a request to `audience`, a URL without its query. `rejected` is the token that the endpoint
 * has just refused: the source resolves with another one, or with the same if it has no other.
 */
export type TokenSource = (audience: string, rejected?: string) => Promise<string>;

/** Throws a TypeError if the options hold no credentials. */
export function tokensOf(options: BackendOptions): TokenSource {
  if ("connectionString" in options) {
    const { accessKey } = parseConnectionString(options.connectionString);
    return signedTokens(accessKey, options.tenant);
  }
  if ("accessKey" in options && options.accessKey) {
    // Probably the whole list ACCESS_KEYS: a single key has no comma, so that no signature would be valid.
    if (options.accessKey.includes(","))
      throw new TypeError("`accessKey` is one key, and not the list in ACCESS_KEYS.");
    return signedTokens(options.accessKey, options.tenant);
  }
  if ("token" in options && options.token) return applicationTokens(options.token);
  // An empty or undefined value usually comes from an environment variable that is not set.
  throw new TypeError("A backend needs a `token`, an `accessKey` or a `connectionString`.");
}

interface CachedToken {
  readonly token: Promise<string>;
  /** When to replace the token, in milliseconds since 1970. */
  renewAt: number;
}

/** Calls the token function when the cached token is about to expire, was rejected, or could not be fetched. */
function applicationTokens(token: Token): TokenSource {
  if (typeof token === "string") return async () => token;
  let cached: CachedToken | undefined;
  const fetchToken = (): CachedToken => {
    const entry: CachedToken = { token: callTokenFunction(token), renewAt: Infinity };
    entry.token.then(
      (text) =>
        (entry.renewAt = Date.now() + (renewInMs(text, Date.now(), Math.random) ?? Infinity)),
      () => (entry.renewAt = 0),
    );
    return entry;
  };
  return async (_audience, rejected) => {
    if (cached === undefined || Date.now() >= cached.renewAt) cached = fetchToken();
    const current = cached;
    if ((await current.token) !== rejected) return current.token;
    // Of all requests whose token was rejected, only the first one fetches another; the others share it.
    if (cached === current) cached = fetchToken();
    return cached.token;
  };
}

async function callTokenFunction(token: () => string | Promise<string>): Promise<string> {
  try {
    return givenToken(await token());
  } catch (cause) {
    throw noToken(cause);
  }
}

const LIFETIME_SECONDS = 300;
/** A cached token is replaced this long before it expires, because of latency and of a clock that is slow. */
const MARGIN_SECONDS = 60;
/** The most tokens that are kept, the newest ones: every room has its own URL, and so its own token. */
const MAX_CACHED = 500;

function signedTokens(accessKey: string, tenant: string | undefined): TokenSource {
  const key = new TextEncoder().encode(accessKey);
  const cache = new Map<string, CachedToken>();
  return async (audience, rejected) => {
    const cached = cache.get(audience);
    if (cached && Date.now() < cached.renewAt && (await cached.token) !== rejected)
      return cached.token;
    const token = sign(key, audience, tenant);
    // Deleted first: a Map keeps the place of a replaced key, and its first key must be the oldest.
    cache.delete(audience);
    const renewAt = Date.now() + (LIFETIME_SECONDS - MARGIN_SECONDS) * 1000;
    cache.set(audience, { token, renewAt });
    if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value!);
    return token;
  };
}

/** Without `iat`: if this machine's clock is fast, the endpoint would refuse a token issued in the future. */
const sign = (key: Uint8Array, audience: string, tenant: string | undefined): Promise<string> =>
  new SignJWT(tenant === undefined ? {} : { tid: tenant })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setAudience(audience)
    .setExpirationTime(Math.floor(Date.now() / 1000) + LIFETIME_SECONDS)
    .sign(key);
