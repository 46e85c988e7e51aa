// A JSON Web Key Set (RFC 7517): fetches it from the configured URL, within limits of size and time, and decides which
// of its keys may verify the tokens of which `iss`.

import { createLocalJWKSet, type JSONWebKeySet, type JWK } from "jose";
import { withTimeout, textWithin } from "../model/bounded-read.ts";

const MAX_BYTES = 64 * 1024;

/**
 * The key set, not validated: jose does that. Throws an Error for another status than 200, too many bytes, a late
 * answer or text that is not JSON.
 */
export async function fetchKeySet(url: string, timeoutMs: number): Promise<JSONWebKeySet> {
  const abort = new AbortController();
  try {
    return JSON.parse(await within(timeoutMs, fetchText(url, abort.signal))) as JSONWebKeySet;
  } finally {
    abort.abort();
  }
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const headers = { accept: "application/jwk-set+json, application/json" };
  // With redirects, the answering server could choose another source of keys (PyJWT, CVE-2026-102267).
  const response = await fetch(url, { redirect: "manual", signal, headers });
  if (response.status !== 200 || !response.body)
    throw new Error(`the answer has status ${response.status}, not 200`);
  return textWithin(response.body, MAX_BYTES, tooLarge);
}

const tooLarge = () => new Error(`the answer is over ${MAX_BYTES} bytes`);

/** The promise's result, or an error after `ms` milliseconds. */
export const within = <T>(ms: number, promise: Promise<T>): Promise<T> =>
  withTimeout(ms, promise, () => new Error(`no answer within ${ms} ms`));

type FindKey = ReturnType<typeof createLocalJWKSet>;

/** The keys for tokens of an issuer. */
export type FinderFor = (iss: unknown) => FindKey;

/**
 * Entra ID publishes the keys of single directories, such as that of consumers' accounts, together with those of all
 * directories; such a key's `issuer` is the `iss` of the tokens that it may sign, without a placeholder
 * (docs/design/rest-and-tokens.md#to15). Throws jose's error for a value that is not a key set.
 */
export function keyFinders(set: JSONWebKeySet): FinderFor {
  const all = createLocalJWKSet(set);
  const owners = new Set(set.keys.map(ownerOf).filter((owner) => owner !== undefined));
  if (owners.size === 0) return () => all;
  const finder = (iss?: string) =>
    createLocalJWKSet({ ...set, keys: set.keys.filter((key) => isFor(key, iss)) });
  const [common, single] = [finder(), new Map<unknown, FindKey>()];
  for (const owner of owners) single.set(owner, finder(owner));
  return (iss) => single.get(iss) ?? common;
}

const isFor = (key: JWK, iss: string | undefined): boolean => {
  const owner = ownerOf(key);
  return owner === undefined || owner === iss;
};

/** The only directory whose tokens the key may sign, if it has one: Microsoft's addition to RFC 7517. */
function ownerOf({ issuer }: JWK & { readonly issuer?: unknown }): string | undefined {
  const isOne = typeof issuer === "string" && /^https:\/\/[^{}]+$/.test(issuer);
  return isOne ? issuer : undefined;
}
