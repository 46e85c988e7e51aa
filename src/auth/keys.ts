// Verification keys that an issuer publishes as a key set; cached by this isolate. Shared secrets are in issuers.ts.

import { logError } from "../model/logger.ts";
import { errors, type CryptoKey, type JWTHeaderParameters } from "jose";
import { fetchKeySet, keyFinders, within, type FinderFor } from "./key-set.ts";
import { Refusal } from "./auth-refusal.ts";

/**
 * Finds the key for a token's header. The header is not verified at this point: it must only be used to select a key.
 * Throws `token_unknown_key` or `keys_unavailable`.
 */
export interface KeySource {
  readonly algorithms: string[];
  /** Until when a signature that these keys verify now may be trusted, in milliseconds since 1970. */
  goodUntil(): number;
  find(header: JWTHeaderParameters, at: Lookup): Promise<CryptoKey>;
}

/** The time, and the token's `iss`, which is not verified either. */
export interface Lookup {
  readonly nowMs: number;
  readonly iss: unknown;
}

/** Algorithms of published keys. Never HS*: a public key would then serve as secret. */
const ASYMMETRIC = ["RS", "PS", "ES"].flatMap((family) => [
  `${family}256`,
  `${family}384`,
  `${family}512`,
]);

/** Age after which a key set is fetched again. A key removed by the issuer is refused from then on. */
const FRESH_MS = 10 * 60_000;
/** The least time between two fetches while there are keys: anybody can send tokens with unknown `kid`s. */
const COOLDOWN_MS = 60_000;
/** The least time between two fetches while there are no keys; equals `retry-after` of the refusal. */
const RETRY_MS = 5_000;
/** Age after which cached keys are refused although the issuer cannot be reached. */
const STALE_MS = 24 * 60 * 60_000;
/** The time limit of a whole fetch, body included. */
const TIMEOUT_MS = 3_000;

interface KeyCache {
  readonly url: string;
  /** The setting with the URL, for the log. */
  readonly variable: string;
  keys?: { readonly finderFor: FinderFor; readonly fetchedAt: number };
  /** When the last fetch was started. Set before it begins, so that concurrent requests start only one. */
  fetchStartedAt: number;
  pending?: Promise<void> | undefined;
}

/**
 * The keys published at a URL, fetched at first use. jose's `createRemoteJWKSet` does not fit: on Workers it fetches
 * once per concurrent request, a failed fetch starts no cooldown, and expired keys are dropped at the first failed
 * fetch.
 */
export function remoteKeys(url: string, variable: string): KeySource {
  const cache: KeyCache = { url, variable, fetchStartedAt: -Infinity };
  return {
    algorithms: [...ASYMMETRIC, "EdDSA"],
    find: (header, at) => findKey(cache, header, at),
    // A key that the issuer has removed is refused from then on.
    goodUntil: () => (cache.keys?.fetchedAt ?? 0) + FRESH_MS,
  };
}

/** Looks up the key, and once more after a fetch: an unknown `kid` may belong to a key that was just published. */
async function findKey(cache: KeyCache, header: JWTHeaderParameters, at: Lookup) {
  const { nowMs } = at;
  if (age(cache, nowMs) >= FRESH_MS) await refresh(cache, nowMs);
  const key = await lookUp(cache, header, at);
  if (key) return key;
  await refresh(cache, nowMs);
  const newKey = await lookUp(cache, header, at);
  if (newKey) return newKey;
  throw new Refusal("token_unknown_key");
}

const age = ({ keys }: KeyCache, nowMs: number): number => nowMs - (keys?.fetchedAt ?? -Infinity);

/** The only key of the set that fits `kid`, `alg`, `use` and `key_ops`; undefined if none does. */
async function lookUp(cache: KeyCache, header: JWTHeaderParameters, { nowMs, iss }: Lookup) {
  if (!cache.keys || age(cache, nowMs) >= STALE_MS) throw new Refusal("keys_unavailable");
  try {
    return await cache.keys.finderFor(iss)(header);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    // Several keys fit, or the only one is private or cannot be imported: a new fetch would not help.
    throw new Refusal("token_unknown_key");
  }
}

/**
 * Starts a fetch, joins the pending one, or returns at once within the cooldown. Never rejects: `lookUp` throws if
 * there are no keys.
 */
async function refresh(cache: KeyCache, nowMs: number): Promise<void> {
  const sinceMs = nowMs - cache.fetchStartedAt;
  if (sinceMs >= (cache.keys ? COOLDOWN_MS : RETRY_MS)) startFetch(cache, nowMs);
  else if (sinceMs > TIMEOUT_MS) return;
  // A promise of a cancelled request never settles on Workers, so the wait for another request's fetch has a limit.
  if (cache.pending) await within(TIMEOUT_MS, cache.pending).catch(() => {});
}

function startFetch(cache: KeyCache, nowMs: number): void {
  cache.fetchStartedAt = nowMs;
  const pending = load(cache, nowMs).finally(() => {
    if (cache.pending === pending) cache.pending = undefined;
  });
  cache.pending = pending;
}

/** Replaces the cached keys. A failure keeps the old ones and is logged. */
async function load(cache: KeyCache, nowMs: number): Promise<void> {
  try {
    const finderFor = keyFinders(await fetchKeySet(cache.url, TIMEOUT_MS));
    cache.keys = { finderFor, fetchedAt: nowMs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "?";
    logError("keys_unavailable", { variable: cache.variable, reason });
  }
}
