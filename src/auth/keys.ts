// Where the keys that verify tokens come from: a secret, or a key set that the issuer publishes.

import { logError } from "../model/logger.ts";
import { createLocalJWKSet, errors, type JWTHeaderParameters } from "jose";
import { fetchKeySet, within } from "./key-set.ts";
import { Refusal } from "./auth-refusal.ts";

/** Finds the key for a token's header. The header is not verified yet: it selects a key and nothing else. */
export interface KeySource {
  readonly algorithms: string[];
  find(header: JWTHeaderParameters, nowMs: number): Promise<CryptoKey>;
}

/** A shared secret. Imported at the first token: given bytes, jose would import them for each. */
export function secretKey(bytes: Uint8Array): KeySource {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  let key: CryptoKey | undefined;
  return {
    algorithms: ["HS256"],
    find: async () =>
      (key ??= await crypto.subtle.importKey("raw", bytes, hmac, false, ["verify"])),
  };
}

/** Never HS*: a public key is no secret. */
const ASYMMETRIC = ["RS", "PS", "ES"].flatMap((family) => [
  `${family}256`,
  `${family}384`,
  `${family}512`,
]);

/** A published key set is asked for again after this; a key taken out of it is refused from then on. */
const FRESH_MS = 10 * 60_000;
/** Between two fetches once there are keys: an unknown `kid` costs its sender nothing. */
const COOLDOWN_MS = 60_000;
/** Between two fetches while there are none; as `retry-after` says. */
const RETRY_MS = 5_000;
/** Keys outlive a failing issuer by this and no more. */
const STALE_MS = 24 * 60 * 60_000;
/** A whole answer of the issuer. */
const TIMEOUT_MS = 3_000;

type FindKey = ReturnType<typeof createLocalJWKSet>;

interface KeyCache {
  readonly url: string;
  keys?: { readonly find: FindKey; readonly fetchedAt: number };
  /** When a fetch was last begun: set before it, so that a burst of unknown keys begins one. */
  askedAt: number;
  pending?: Promise<void> | undefined;
}

/**
 * The keys published at a URL. jose's own `createRemoteJWKSet` does not do here: on Workers it fetches once for each
 * concurrent request, a failed fetch starts no cooldown, and keys are dropped at the first failure after their time.
 */
export function remoteKeys(url: string): KeySource {
  const cache: KeyCache = { url, askedAt: -Infinity };
  return {
    algorithms: [...ASYMMETRIC, "EdDSA"],
    find: (header, nowMs) => findKey(cache, header, nowMs),
  };
}

async function findKey(cache: KeyCache, header: JWTHeaderParameters, nowMs: number) {
  if (age(cache, nowMs) >= FRESH_MS) await refresh(cache, nowMs);
  const key = await lookUp(cache, header, nowMs);
  if (key) return key;
  await refresh(cache, nowMs);
  const late = await lookUp(cache, header, nowMs);
  if (late) return late;
  throw new Refusal("token_unknown_key");
}

const age = ({ keys }: KeyCache, nowMs: number): number => nowMs - (keys?.fetchedAt ?? -Infinity);

/** The one key of the set that fits `kid`, `alg`, `use` and `key_ops`. Two that fit are none. */
async function lookUp(cache: KeyCache, header: JWTHeaderParameters, nowMs: number) {
  if (!cache.keys || age(cache, nowMs) >= STALE_MS) throw new Refusal("keys_unavailable");
  try {
    return await cache.keys.find(header);
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return undefined;
    // Several keys fit, or the one that does is private or cannot be imported: asking again would not help.
    throw new Refusal("token_unknown_key");
  }
}

/** Fetches, or waits for who does, or does nothing because it is too early. Never fails: `lookUp` sees what there is. */
async function refresh(cache: KeyCache, nowMs: number): Promise<void> {
  const sinceMs = nowMs - cache.askedAt;
  if (sinceMs >= (cache.keys ? COOLDOWN_MS : RETRY_MS)) begin(cache, nowMs);
  else if (sinceMs > TIMEOUT_MS) return;
  // If the request that began the fetch is cancelled, its promise never settles: nobody waits for it without a limit.
  if (cache.pending) await within(TIMEOUT_MS, cache.pending).catch(() => {});
}

function begin(cache: KeyCache, nowMs: number): void {
  cache.askedAt = nowMs;
  const pending = load(cache, nowMs).finally(() => {
    if (cache.pending === pending) cache.pending = undefined;
  });
  cache.pending = pending;
}

async function load(cache: KeyCache, nowMs: number): Promise<void> {
  try {
    const find = createLocalJWKSet(await fetchKeySet(cache.url, TIMEOUT_MS));
    cache.keys = { find, fetchedAt: nowMs };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "?";
    logError("keys_unavailable", { variable: "JWT_JWKS_URL", reason });
  }
}
