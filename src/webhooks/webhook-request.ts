// One request to a receiver: signed as Standard Webhooks has it, within a time, and to nowhere else.

import type { Destination } from "./webhook-config.ts";

export interface Message {
  /** The same for every repetition; without a full stop, which the signature uses. */
  readonly id: string;
  readonly type: string;
  readonly body: string;
}

export interface Patience {
  readonly timeoutMs: number;
  now(): number;
}

/** Gives what `read` makes of the answer, whatever its status. Throws where none came in time. */
export async function post<T>(
  message: Message,
  { url, key, timeoutMs, now }: Destination & Patience,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const headers = await headersOf(message, await key, now());
  const over = new AbortController();
  const late = () => over.abort(new Error(`No answer within ${timeoutMs} ms.`));
  // No AbortSignal.timeout: its timer would outlive the answer, and keep an object awake.
  const timer = setTimeout(late, timeoutMs);
  try {
    // A redirect is no receiver: what is signed for one is not sent to another.
    const request = { method: "POST", headers, redirect: "manual", signal: over.signal } as const;
    return await read(await fetch(url, { ...request, body: message.body }));
  } finally {
    clearTimeout(timer);
  }
}

async function headersOf({ id, type, body }: Message, key: CryptoKey, now: number) {
  const timestamp = `${Math.floor(now / 1000)}`;
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)).toBase64();
  return {
    "content-type": type,
    "user-agent": "dormouse",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
