// Fetches a JSON Web Key Set from the configured URL, and gives up on anything unusual.

import type { JSONWebKeySet } from "jose";

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
  return readText(response.body);
}

async function readText(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = "";
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error(`the answer is over ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The promise, or an error after so many milliseconds. No timer is left behind: it would keep an object awake. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
