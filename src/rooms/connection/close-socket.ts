// How a socket is closed from here: with a code of ours, and words that fit.

import { CLOSE, reasonOf, type CloseCode } from "../../model/errors.ts";
import type { Connection } from "./connection.ts";

/** Ended on purpose: nobody waits for its client to come back. */
export const FOR_GOOD: ReadonlySet<CloseCode> = new Set([
  CLOSE.normal,
  CLOSE.aborted,
  CLOSE.forbidden,
  CLOSE.dismissed,
  CLOSE.revoked,
]);

export function closeSocket(
  { socket, httpCaller }: Connection,
  why: CloseCode,
  reason?: string,
): void {
  httpCaller?.closed(why);
  try {
    const own = why === CLOSE.dismissed ? reason : undefined;
    socket?.close(why, own ? within(own) : reasonOf(why));
  } catch {
    // Closed already.
  }
}

/** A close frame has room for 123 bytes. */
function within(reason: string): string {
  const bytes = new Uint8Array(123);
  const { read } = new TextEncoder().encodeInto(reason, bytes);
  return reason.slice(0, read);
}

/** Answers a client's Close frame. A code that may not be sent (1005, or an invented one) is answered as 1000. */
export function answerClose(socket: WebSocket, code: number, reason: string): void {
  for (const answer of [() => socket.close(code, reason), () => socket.close(1000)]) {
    try {
      return answer();
    } catch {
      // Not a code to send, or closed already: then there is nothing left to answer.
    }
  }
}
