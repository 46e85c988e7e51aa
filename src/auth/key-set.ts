// Fetches a JSON Web Key Set (RFC 7517) from the configured URL, bounded in size and time.

import type { JSONWebKeySet } from "jose";
import { withTimeout, textWithin } from "../model/bounded-read.ts";

const MAX_BYTES = 64 * 1024;

/**
 * The key set, not validated: jose does that. Throws an Error for another status than 200, too many bytes, a late
 * answer or text that is no JSON.
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
  // A redirect would let the server that answers choose the source of keys (PyJWT, CVE-2026-102267).
  const response = await fetch(url, { redirect: "manual", signal, headers });
  if (response.status !== 200 || !response.body)
    throw new Error(`the answer has status ${response.status}, not 200`);
  return textWithin(response.body, MAX_BYTES, tooLarge);
}

const tooLarge = () => new Error(`the answer is over ${MAX_BYTES} bytes`);

/** The promise's result, or an error after `ms` milliseconds. */
export const within = <T>(ms: number, promise: Promise<T>): Promise<T> =>
  withTimeout(ms, promise, () => new Error(`no answer within ${ms} ms`));
