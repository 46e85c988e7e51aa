// Close frames: those of the server, with a code and a reason that fits, and answers to those of clients.

import { CLOSE, HubError, reasonOf, type CloseCode } from "../../model/errors.ts";
import type { Connection } from "./connection.ts";

/** Codes of connections that are closed on purpose: their clients are not expected back. */
export const FOR_GOOD: ReadonlySet<CloseCode> = new Set([
  CLOSE.normal,
  CLOSE.aborted,
  CLOSE.forbidden,
  CLOSE.dismissed,
  CLOSE.revoked,
  CLOSE.banned,
]);

/** Codes whose reason is that of a service or of the hub, if it gave one. */
const WORDED: ReadonlySet<CloseCode> = new Set([CLOSE.dismissed, CLOSE.banned, CLOSE.failed]);

/** ASP.NET Core's prefix of a hub's own message, for SignalR's clients. */
const HUB_EXCEPTION = /^HubException: /;

/**
 * The reason of a close. `detail` is the service's reason for `dismissed` and `banned`, and the error of `connected`
 * for `failed`; with other codes it is not shown here.
 */
export const closeReason = (why: CloseCode, detail?: string): string =>
  (WORDED.has(why) && detail?.replace(HUB_EXCEPTION, "")) || reasonOf(why);

/** The error of a connection that the server has ended, for hooks and webhooks; undefined for a regular end. */
export function endOf(why: CloseCode, detail?: string): HubError | undefined {
  if (why === CLOSE.normal) return undefined;
  return new HubError(why === CLOSE.banned ? "banned" : "cancelled", closeReason(why, detail));
}

/** The close of a connection whose user the account no longer admits, by the code of the account's refusal. */
export function closeCodeOf(code: string): CloseCode {
  if (code === "banned") return CLOSE.banned;
  return code === "token_revoked" ? CLOSE.revoked : CLOSE.interrupted;
}

/** May be repeated. */
export function closeSocket(
  { socket, httpCaller }: Connection,
  why: CloseCode,
  reason?: string,
): void {
  const words = closeReason(why, reason);
  httpCaller?.closed(why, words);
  try {
    socket?.close(why, fitReason(words));
  } catch {
    // Closed already.
  }
}

/** The beginning of the reason that fits into a Close frame: 123 bytes. */
export function fitReason(reason: string): string {
  const bytes = new Uint8Array(123);
  const { read } = new TextEncoder().encodeInto(reason, bytes);
  return reason.slice(0, read);
}

/**
 * Closes a socket that another has replaced, without a reason, from which its client would conclude that the connection
 * ends.
 */
export function closeReplaced(socket: WebSocket | undefined, code = 1000): void {
  try {
    socket?.close(code);
  } catch {
    // Closed already.
  }
}

/** Answers a client's Close frame. A code that must not be sent (1005, or an invented one) is answered by 1000. */
export function answerClose(socket: WebSocket, code: number, reason: string): void {
  for (const answer of [() => socket.close(code, reason), () => socket.close(1000)]) {
    try {
      return answer();
    } catch {
      // The code must not be sent, or the socket is closed already and needs no answer.
    }
  }
}
