// The error class, and close codes of sockets. Error codes are rows of error-table.ts.

import type { ErrorCode } from "./error-table.ts";

export type { ErrorCode };

/**
 * An error that may leave the server: its `code` is stable and its message is a sentence for the caller.
 *
 * Inside src the constructor takes only codes of the table: `NoInfer` keeps `Code` from being widened by the argument.
 * For other codes write the type: `HubError<ClientErrorCode>` in clients, `HubError<string>` for a code that is only
 * known at run time. The package exports the type as `HubErrorOf` too, so that declarations that compilers write for
 * applications can name it: applications use `HubError`.
 */
export class HubError<Code extends string = ErrorCode> extends Error {
  readonly code: ErrorCode | (string & {});
  /** The cause, such as `TypeError: …`. Present only if the hub shows details to its callers. */
  declare detail?: string;
  /**
   * Set by `serverError`: if hub code throws the same code, SignalR's clients get hub code's own message instead.
   */
  declare isOwn?: true;
  /** Advice for the developer. In clients, if the server sent it. In the server: replaces the code's advice. */
  declare action?: string;
  /** In clients: the HTTP status of the refusal, even of one on a socket. */
  declare status?: number;
  /** Seconds after which to try again: in clients if the server sent them; in the server if it knows them. */
  declare retryAfter?: number;

  constructor(code: NoInfer<Code>, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }
}

/** `HubError` for applications, which may have codes of their own. The package exports it by that name. */
export const OpenHubError = HubError<ErrorCode | (string & {})>;
export type OpenHubError = HubError;

/** An error thrown by the server itself, not by hub code: SignalR's clients get ASP.NET Core's message for it. */
export const serverError = (code: ErrorCode, message: string): HubError =>
  Object.assign(new HubError(code, message), { isOwn: true as const });

/** The error that a caller receives: a `HubError` unchanged, anything else as `internal`. */
export const publicError = (error: unknown): HubError =>
  hubErrorOf(error) ?? serverError("internal", "The server failed; its log has the details.");

/** Undefined for any other value. Never throws: hub code may throw a revoked proxy, whose members cannot be read. */
function hubErrorOf(error: unknown): HubError | undefined {
  try {
    if (error instanceof HubError) return error;
    if (!isRemoteHubError(error)) return undefined;
    const { code, message, isOwn, retryAfter } = error;
    const known = { ...(isOwn && { isOwn }), ...(retryAfter && { retryAfter }) };
    return Object.assign(new HubError<string>(code, message), known);
  } catch {
    return undefined;
  }
}

/** `TypeError: …`, of any value that was thrown. Never throws: an object without a prototype has no text. */
export function errorLine(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "A thrown value without text.";
  }
}

/**
 * Whether an error that is shown as `internal` must be logged: it was thrown here, and is not the answer of an object,
 * which has logged the reason itself.
 */
export const isUnexpected = (error: unknown): boolean => hubErrorOf(error) === undefined;

/**
 * Over RPC errors lose their class, and keep `name`, `message` and own properties (compatibility flag
 * enhanced_error_serialization).
 */
function isRemoteHubError(
  error: unknown,
): error is { code: string; message: string; isOwn?: true; retryAfter?: number } {
  return (
    error instanceof Error &&
    error.name === "HubError" &&
    typeof (error as { code?: unknown }).code === "string"
  );
}

/**
 * Close codes. 4400–4499: the client reconnects and resumes by position. 4500–4599: it must not reconnect unchanged.
 */
export const CLOSE = {
  normal: 1000,
  expired: 4401,
  slow: 4408,
  silent: 4410,
  interrupted: 4411,
  /** The object's memory for its clients is used up. */
  busy: 4413,
  flooding: 4429,
  gone: 4500,
  aborted: 4501,
  malformed: 4502,
  /** The hub's `connected` threw. */
  failed: 4503,
  /** A newer connection of the same client has replaced this one. */
  replaced: 4504,
  /** A fresh token does not admit to the room or hub of the connection. */
  forbidden: 4505,
  /** Closed by a service, with the service's reason. */
  dismissed: 4510,
  revoked: 4511,
  /** A service has banned the user, with the service's reason. */
  banned: 4512,
} as const;

export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/** The reason text of a close. A function, so that pages, which do not use it, need not load it. */
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
    case CLOSE.busy:
      return "Too much is waiting here; connect again.";
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
    case CLOSE.banned:
      return "This user is banned.";
  }
}

/** Whether a client reconnects after a close: by range for Dormouse's codes, by RFC 6455 for others. */
export const shouldReconnect = (code: number): boolean =>
  code >= 4000 ? code < 4500 : code !== 1000 && code !== 1008;

/** Whether a request that was refused with this HTTP status may be admitted later, unchanged. */
export const shouldRetry = (status: number): boolean =>
  status >= 500 ? status !== 501 : [408, 425, 429].includes(status);

/** An error's text, cut to 1,000 UTF-16 units: it may reach logs, headers and other clients. */
export const errorText = (text: string): string => text.slice(0, 1000);
