// Where tokens come from: this machine's endpoint gives one to a name, and anywhere else one is brought along.

import type { Token } from "../src/client/index.ts";

const HERE = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Whether the endpoint may give tokens away: never but on this machine, and there if it was told to. */
export const mayAskForTokens = (): boolean => HERE.has(location.hostname);

/** The endpoint gives no tokens away. */
export class NoDevTokens extends Error {
  override readonly name = "NoDevTokens";
}

export async function devToken(user: string, role: string | undefined): Promise<string> {
  const answer = await fetch("/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, ...(role !== undefined && { role }) }),
  });
  if (answer.status === 404) throw new NoDevTokens("This server gives no tokens away. Bring one.");
  const { token, error } = (await answer.json()) as { token?: string; error?: { message: string } };
  if (token === undefined) throw new Error(error?.message ?? "The server gave no token.");
  return token;
}

/** Four connections want one at the same moment: they share it. A later attempt gets a fresh one. */
export function shared(fetchToken: () => Promise<string>): () => Promise<string> {
  let last: { readonly at: number; readonly token: Promise<string> } | undefined;
  return () => {
    if (!last || Date.now() - last.at > SHARED_MS) last = { at: Date.now(), token: fetchToken() };
    return last.token;
  };
}

const SHARED_MS = 1_000;

/** A token which is not given out while the user wants to be offline: without one no attempt is made. */
export function switchable(token: Token): { readonly token: Token; isOff: boolean } {
  const line = {
    isOff: false,
    token: async () => {
      if (line.isOff) throw new Error("Offline, as you wished.");
      return typeof token === "string" ? token : token();
    },
  };
  return line;
}
