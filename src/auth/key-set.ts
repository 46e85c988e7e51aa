// Fetches a JSON Web Key Set from the configured URL, and gives up on anything unusual.

import type { JSONWebKeySet } from "jose";
import { inTime, textWithin } from "../model/bounded-read.ts";

const MAX_BYTES = 64 * 1024;

/** The key set at the URL. What it holds is for jose to check. */
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
  // A redirect would let whoever answers choose where keys come from (PyJWT, CVE-2026-102267).
  const response = await fetch(url, { redirect: "manual", signal, headers });
  if (response.status !== 200 || !response.body)
    throw new Error(`the answer has status ${response.status}, not 200`);
  return textWithin(response.body, MAX_BYTES, tooLarge);
}

const tooLarge = () => new Error(`the answer is over ${MAX_BYTES} bytes`);

/** The promise, or an error after so many milliseconds. */
export const within = <T>(ms: number, promise: Promise<T>): Promise<T> =>
  inTime(ms, promise, () => new Error(`no answer within ${ms} ms`));
