// One signed request to a receiver (Standard Webhooks 1.0), with a timeout and without redirects.

import type { Destination } from "./webhook-config.ts";

export interface Message {
  /** Equal at every attempt. Contains no full stop, which separates the signed parts. */
  readonly id: string;
  readonly type: string;
  readonly body: string;
  /** Sent as `traceparent`. Absent for batches, whose events have traces of their own. */
  readonly trace?: string;
}

/** The timeout of a request, and the clock for its timestamp. */
interface RequestTiming {
  readonly timeoutMs: number;
  now(): number;
}

/**
 * The result of `read` for the response, whatever its status. Rejects where the connection fails, or response and
 * `read` together exceed `timeoutMs`. A body that `read` leaves is cancelled, so that the connection is free again; how
 * that ends is of no matter, since the status has answered.
 */
export async function post<T>(
  message: Message,
  { url, keys, timeoutMs, now }: Destination & RequestTiming,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const headers = await headersOf(message, keys, now());
  const abort = new AbortController();
  const onTimeout = () => abort.abort(new Error(`No answer within ${timeoutMs} ms.`));
  // Not AbortSignal.timeout: its timer survives the answer and would keep the object awake.
  const timer = setTimeout(onTimeout, timeoutMs);
  try {
    // A signed request must not reach another receiver than the configured one.
    const request = { method: "POST", headers, redirect: "manual", signal: abort.signal } as const;
    const response = await fetch(url, { ...request, body: message.body });
    try {
      return await read(response);
    } finally {
      if (!response.bodyUsed) void response.body?.cancel().catch(() => {});
    }
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The signatures cover id, timestamp (seconds) and body, as `webhook-signature: v1,<base64 of HMAC-SHA-256>`. One by
 * each key, with spaces between them: receivers take any.
 */
async function headersOf(
  { id, type, body, trace }: Message,
  keys: Destination["keys"],
  now: number,
) {
  const timestamp = `${Math.floor(now / 1000)}`;
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = keys.map(async (key) => {
    const signature = await crypto.subtle.sign("HMAC", await key, signed);
    return `v1,${new Uint8Array(signature).toBase64()}`;
  });
  return {
    "content-type": type,
    "user-agent": "dormouse",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": (await Promise.all(signatures)).join(" "),
    ...(trace !== undefined && { traceparent: trace }),
  };
}
