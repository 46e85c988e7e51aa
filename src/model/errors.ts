// The error class, and the close codes of sockets. Error codes are rows of error-table.ts.

import type { ErrorCode } from "./error-table.ts";

export type { ErrorCode };

/**
 * An error that may leave the server: its `code` is stable and its message is a sentence for the caller.
 *
 * Inside src the constructor takes codes of the table only: `NoInfer` keeps `Code` from being widened by the argument. For
 * other codes it is written out: `HubError<ClientErrorCode>` in clients, `HubError<string>` for a code that came from
 * elsewhere at run time.
 */
export class HubError<Code extends string = ErrorCode> extends Error {
  readonly code: ErrorCode | (string & {});
  /** What was behind it, `TypeError: …`: only where the hub shows its callers such details. */
  detail?: string;

  constructor(code: NoInfer<Code>, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }
}

/** `HubError` for applications, which may have codes of their own. The package exports it by that name. */
export const OpenHubError = HubError<ErrorCode | (string & {})>;
export type OpenHubError = HubError;

/** What a caller may see of any error: a `HubError` as it is, everything else as `internal`. */
export function publicError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (isRemoteHubError(error)) return new HubError<string>(error.code, error.message);
  return new HubError("internal", "The server failed; its log has the details.");
}

/** Errors lose their class over RPC and keep `name`, `message` and own properties (enhanced_error_serialization). */
function isRemoteHubError(error: unknown): error is { code: string; message: string } {
  return (
    error instanceof Error &&
    error.name === "HubError" &&
    typeof (error as { code?: unknown }).code === "string"
  );
}

/** Close codes. 4400–4499: reconnect, and resume by position. 4500–4599: do not come back unchanged. */
export const CLOSE = {
  normal: 1000,
  expired: 4401,
  slow: 4408,
  silent: 4410,
  interrupted: 4411,
  flooding: 4429,
  gone: 4500,
  aborted: 4501,
  malformed: 4502,
  /** The hub's `connected` threw. */
  failed: 4503,
  /** A client has one connection: its newest. */
  replaced: 4504,
  /** A fresh token does not admit the room, or the hub, that the connection came for. */
  forbidden: 4505,
  /** By a service; the reason is its own. */
  dismissed: 4510,
  revoked: 4511,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** What a close says beside its code. A function, so that pages, which do not ask, need not load it. */
export function reasonOf(code: CloseCode): string {
  switch (code) {
    case CLOSE.normal:
      return "";
    case CLOSE.expired:
      return "The token has expired.";
    case CLOSE.slow:
      return "Too many bytes were waiting for this socket.";
    case CLOSE.silent:
      return "Nothing was heard for too long.";
    case CLOSE.interrupted:
      return "The room could not be reached.";
    case CLOSE.flooding:
      return "Too many messages.";
    case CLOSE.gone:
      return "This hub is no longer served.";
    case CLOSE.aborted:
      return "The server ended the connection.";
    case CLOSE.malformed:
      return "Too many malformed frames.";
    case CLOSE.failed:
      return "The hub could not begin.";
    case CLOSE.replaced:
      return "Another connection of this client took its place.";
    case CLOSE.forbidden:
      return "The token does not admit this room or hub.";
    case CLOSE.dismissed:
      return "A service ended the connection.";
    case CLOSE.revoked:
      return "The token was revoked.";
  }
}

/** Whether a client should come back after a close: codes of ours say so by range, others by RFC 6455. */
export const shouldReconnect = (code: number): boolean =>
  code >= 4000 ? code < 4500 : code !== 1000 && code !== 1008;
