// Tokens: a local endpoint issues them to any name, for development, and a demo to guests; for any other endpoint the
// user brings one.

import type { Token } from "../src/client/index.ts";
import { UNREACHED } from "./dom.ts";

/** The endpoint gives no names away: neither to its developer, nor to guests. */
export class NoDevTokens extends Error {
  override readonly name = "NoDevTokens";
}

/** Throws `NoDevTokens`, or an error with the endpoint's message. */
export async function devToken(user: string, role: string | undefined): Promise<string> {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, ...(role !== undefined && { role }) }),
  }).catch((cause: unknown) => {
    throw new Error(UNREACHED, { cause });
  });
  if (response.status === 404)
    throw new NoDevTokens("This server gives no tokens away. Bring one.");
  const { token, error } = (await response.json()) as {
    token?: string;
    error?: { message: string };
  };
  if (token === undefined) throw new Error(error?.message ?? "The server gave no token.");
  return token;
}

/** Calls within a second share one token, since several connections may begin at once. Later calls get a fresh one. */
export function cachedToken(fetchToken: () => Promise<string>): () => Promise<string> {
  let last: { readonly at: number; readonly token: Promise<string> } | undefined;
  return () => {
    if (!last || Date.now() - last.at > CACHE_MS) last = { at: Date.now(), token: fetchToken() };
    return last.token;
  };
}

const CACHE_MS = 1_000;

/** A token function that fails while `isOff` is set: without a token, the client makes no attempt. */
export function switchableToken(token: Token): { readonly token: Token; isOff: boolean } {
  const source = {
    isOff: false,
    token: async () => {
      if (source.isOff) throw new Error("Offline, as you wished.");
      return typeof token === "string" ? token : token();
    },
  };
  return source;
}
