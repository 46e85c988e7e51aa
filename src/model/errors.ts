// What can go wrong, by stable code, and how a socket ends, by number. No other file invents either.

/** Stable codes. A refused token has reasons of its own, `token_…`, in the table of auth/refusal.ts. */
export type ErrorCode =
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "hub_not_found"
  | "room_kind_not_found"
  | "method_not_found"
  | "stream_not_found"
  | "connection_not_found"
  | "invalid_request"
  | "invalid_arguments"
  | "invalid_item"
  | "invalid_name"
  | "invalid_position"
  | "malformed"
  | "too_large"
  | "too_deep"
  | "rate_limited"
  | "too_many_groups"
  | "too_many_streams"
  | "too_many_connections"
  | "room_full"
  | "relay_full"
  | "duplicate_id"
  | "wrong_kind"
  | "timed_out"
  | "interrupted"
  | "cancelled"
  | "history_gone"
  | "upgrade_required"
  | "unsupported_media_type"
  | "client_error"
  | "forbidden_origin"
  | "misconfigured"
  | "keys_unavailable"
  | "internal";

/** An error that may leave the server: its `code` is stable and its message is a sentence for the caller. */
export class HubError extends Error {
  readonly code: ErrorCode | (string & {});
  /** What was behind it, `TypeError: …`: only where the hub shows its callers such details. */
  detail?: string;

  constructor(code: ErrorCode | (string & {}), message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
  }
}

/** What a caller may see of any error: a `HubError` as it is, everything else as `internal`. */
export function publicError(error: unknown): HubError {
  if (error instanceof HubError) return error;
  if (isRemoteHubError(error)) return new HubError(error.code, error.message);
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
  normal: { code: 1000, reason: "" },
  expired: { code: 4401, reason: "The token has expired." },
  slow: { code: 4408, reason: "Too many bytes were waiting for this socket." },
  silent: { code: 4410, reason: "Nothing was heard for too long." },
  interrupted: { code: 4411, reason: "The room could not be reached." },
  flooding: { code: 4429, reason: "Too many messages." },
  gone: { code: 4500, reason: "This hub is no longer served." },
  /** The hub's `connected` threw. */
  failed: { code: 4503, reason: "The hub could not begin." },
  /** A client has one connection: its newest. */
  replaced: { code: 4504, reason: "Another connection of this client took its place." },
  aborted: { code: 4501, reason: "The server ended the connection." },
  malformed: { code: 4502, reason: "Too many malformed frames." },
} as const satisfies Record<string, { code: number; reason: string }>;

export type CloseReason = (typeof CLOSE)[keyof typeof CLOSE];

/** Whether a client should come back after a close: codes of ours say so by range, others by RFC 6455. */
export const shouldReconnect = (code: number): boolean =>
  code >= 4000 ? code < 4500 : code !== 1000 && code !== 1008;
