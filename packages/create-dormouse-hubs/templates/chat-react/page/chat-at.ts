// Where the chat is, and the tokens for it.

import { hubAt } from "dormouse-hubs/react";
import type { ChatHub } from "../src/chat.ts";

/** In place of your own sign-in: on this machine everybody gets a token. */
async function tokenOf(user: string): Promise<string> {
  const response = await fetch("/dev/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (response.status === 404) throw new Error("Tokens of your own identity provider belong here.");
  const { token, error } = (await response.json()) as Answer;
  if (token === undefined) throw new Error(error?.message ?? "There is no token.");
  return token;
}

interface Answer {
  readonly token?: string;
  readonly error?: { readonly message: string };
}

/** The chat, for one user. */
export const chatOf = (user: string) =>
  hubAt<ChatHub>("/hubs/chat", { token: () => tokenOf(user) });
export type Chat = ReturnType<typeof chatOf>;
