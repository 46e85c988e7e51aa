// The table of error codes: each code of the server, with its form in every protocol. Pages load only its types.

/** gRPC's status codes, as its specification numbers them. */
export const GRPC = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

type GrpcCode = (typeof GRPC)[keyof typeof GRPC];

/** One code in each protocol. */
export interface ErrorRow {
  /** The status of a request that is refused with it: an HTTP request, an upgrade, a negotiation, a REST operation. */
  readonly http: number;
  /** The number of a JSON-RPC error, whose `data.code` is the code itself. */
  readonly jsonRpc: number;
  /** Connect derives the HTTP status of its answers from this one, not from `http`. */
  readonly grpc: GrpcCode;
  /** ASP.NET Core's sentence for it; without one, clients get the error's own message. */
  readonly signalR?: string;
}

/** JSON-RPC's range for errors of servers begins here; codes without a number of their own share this one. */
const SERVER_ERROR = -32000;

const TOKEN = { http: 401, jsonRpc: SERVER_ERROR, grpc: GRPC.unauthenticated } as const;
const INVALID = { http: 400, jsonRpc: -32602, grpc: GRPC.invalidArgument } as const;
const INVALID_QUERY = { http: 400, jsonRpc: SERVER_ERROR, grpc: GRPC.invalidArgument } as const;
const NOT_FOUND = { http: 404, jsonRpc: SERVER_ERROR, grpc: GRPC.notFound } as const;
const REFUSED = { http: 403, jsonRpc: SERVER_ERROR, grpc: GRPC.permissionDenied } as const;
const TOO_MANY = { http: 429, jsonRpc: SERVER_ERROR, grpc: GRPC.resourceExhausted } as const;
const UNAVAILABLE = { http: 503, jsonRpc: SERVER_ERROR, grpc: GRPC.unavailable } as const;

/**
 * −32700 … −32600 are JSON-RPC's own numbers, −32800 is the Language Server Protocol's, −32006 … −32000 are ours.
 * To add a code, add its row: `ErrorCode` and everything that is typed by it follows.
 */
export const ERRORS = {
  unauthorized: { http: 401, jsonRpc: -32001, grpc: GRPC.unauthenticated },
  token_missing: TOKEN,
  token_too_large: TOKEN,
  token_malformed: TOKEN,
  token_expired: TOKEN,
  token_not_yet_valid: TOKEN,
  token_wrong_issuer: TOKEN,
  token_wrong_audience: TOKEN,
  token_bad_signature: TOKEN,
  token_algorithm: TOKEN,
  token_unknown_key: TOKEN,
  token_no_subject: TOKEN,
  token_user_id_invalid: TOKEN,
  token_claim_invalid: TOKEN,
  token_revoked: TOKEN,

  forbidden: {
    ...{ http: 403, jsonRpc: -32001, grpc: GRPC.permissionDenied },
    signalR: "Failed to invoke '{target}' because user is unauthorized",
  },
  forbidden_origin: REFUSED,
  banned: REFUSED,
  refused_by_webhook: REFUSED,

  not_found: NOT_FOUND,
  hub_not_found: NOT_FOUND,
  room_kind_not_found: NOT_FOUND,
  connection_not_found: NOT_FOUND,
  /** A message to a connection that has ended, with its own token: it may have been on its way. Not logged. */
  connection_ended: NOT_FOUND,
  method_not_found: {
    ...{ http: 404, jsonRpc: -32601, grpc: GRPC.notFound },
    signalR: "Method does not exist.",
  },

  malformed: { http: 400, jsonRpc: -32700, grpc: GRPC.invalidArgument },
  invalid_request: { http: 400, jsonRpc: -32600, grpc: GRPC.invalidArgument },
  invalid_arguments: INVALID,
  invalid_item: { ...INVALID, signalR: "Failed to bind Stream message." },
  invalid_name: INVALID,
  invalid_position: INVALID,
  invalid_filter: INVALID_QUERY,
  invalid_continuation: INVALID_QUERY,
  /** Dormouse's own client, in a version that this server no longer understands. */
  client_too_old: { http: 400, jsonRpc: SERVER_ERROR, grpc: GRPC.failedPrecondition },
  too_deep: { http: 400, jsonRpc: -32006, grpc: GRPC.invalidArgument },
  too_large: { http: 413, jsonRpc: -32006, grpc: GRPC.resourceExhausted },
  /**
   * A call or a connection of another kind: a stream where one result is expected, a poll of a WebSocket's connection.
   */
  wrong_kind: { http: 400, jsonRpc: -32601, grpc: GRPC.invalidArgument },
  duplicate_id: {
    ...{ http: 409, jsonRpc: -32600, grpc: GRPC.invalidArgument },
    signalR: "Invocation ID '{id}' is already in use.",
  },
  method_not_allowed: { http: 405, jsonRpc: SERVER_ERROR, grpc: GRPC.unimplemented },
  unsupported_media_type: { http: 415, jsonRpc: SERVER_ERROR, grpc: GRPC.invalidArgument },
  upgrade_required: { http: 426, jsonRpc: SERVER_ERROR, grpc: GRPC.unimplemented },

  rate_limited: { http: 429, jsonRpc: -32005, grpc: GRPC.resourceExhausted },
  too_many_connections: TOO_MANY,
  too_many_streams: TOO_MANY,
  /** More rooms than one request or one connection may have: it does not help to wait, so it is not 429. */
  too_many_groups: { http: 400, jsonRpc: SERVER_ERROR, grpc: GRPC.resourceExhausted },

  /** The room is at another position than the caller expects: somebody else was first. */
  conflict: { http: 409, jsonRpc: SERVER_ERROR, grpc: GRPC.aborted },
  /** Hub code made a state that the schema, JSON or the limit of its size does not admit. */
  invalid_state: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.internal },
  /** In development: hub code called a client method with other arguments than the hub declares. */
  invalid_message: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.internal },
  /** In development: a member of the hub returned a value that it does not declare. */
  invalid_result: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.internal },
  /** A newer deploy has written the room's state: this one was rolled back. */
  state_newer: UNAVAILABLE,

  /** The position is older than the messages that the room keeps. */
  history_gone: { http: 410, jsonRpc: SERVER_ERROR, grpc: GRPC.aborted },
  /** The caller cancelled, or has gone: 499 is nginx's status for that. */
  cancelled: { http: 499, jsonRpc: -32800, grpc: GRPC.cancelled },
  /** The server ended the connection before all was answered. */
  interrupted: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.unavailable },
  timed_out: { http: 504, jsonRpc: SERVER_ERROR, grpc: GRPC.deadlineExceeded },
  /** A service ended a stream; the message is the service's own. */
  ended: { http: 409, jsonRpc: SERVER_ERROR, grpc: GRPC.failedPrecondition },
  /** A client failed that the hub or a service had called for a result. */
  client_error: { http: 502, jsonRpc: SERVER_ERROR, grpc: GRPC.failedPrecondition },

  unavailable: UNAVAILABLE,
  /** The object's memory for its clients, or for this one, is used up; a later attempt may succeed. */
  busy: { ...UNAVAILABLE, grpc: GRPC.resourceExhausted },
  room_full: UNAVAILABLE,
  relay_full: UNAVAILABLE,
  keys_unavailable: UNAVAILABLE,
  webhook_unavailable: UNAVAILABLE,
  /** A newer deploy has written the object's storage: this one was rolled back. */
  storage_too_new: UNAVAILABLE,
  storage_corrupt: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.dataLoss },
  /** The transport cannot carry such a call. */
  unimplemented: { http: 501, jsonRpc: SERVER_ERROR, grpc: GRPC.unimplemented },
  no_access_keys: { http: 501, jsonRpc: SERVER_ERROR, grpc: GRPC.failedPrecondition },
  misconfigured: { http: 500, jsonRpc: SERVER_ERROR, grpc: GRPC.internal },
  internal: { http: 500, jsonRpc: -32603, grpc: GRPC.internal },
} as const satisfies Readonly<Record<string, ErrorRow>>;

/** Every code that the server has. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * The rule for a code without a row, which comes from hub code or from another version. If a request is refused with
 * it, that is a failure of the server: 500, and gRPC's UNKNOWN. If a call failed with it, hub code refused the call:
 * −32000, gRPC's FAILED_PRECONDITION, and a HubException with its message.
 */
const UNKNOWN = {
  refused: { http: 500, grpc: GRPC.unknown },
  called: { jsonRpc: SERVER_ERROR, grpc: GRPC.failedPrecondition },
} as const;

const rowOf = (code: string): ErrorRow | undefined =>
  Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode] : undefined;

/** Whether the server has this code; else it comes from hub code, or from another version of the server. */
export const isErrorCode = (code: string): code is ErrorCode => rowOf(code) !== undefined;

/** The status of a request that is refused with this code, whichever part of the server refuses it. */
export const httpStatusOf = (code: string): number => rowOf(code)?.http ?? UNKNOWN.refused.http;

/** The number of the JSON-RPC error of a call that failed with this code. */
export const jsonRpcNumberOf = (code: string): number =>
  rowOf(code)?.jsonRpc ?? UNKNOWN.called.jsonRpc;

/** The gRPC code for this code: for a call that failed at its hub, or for a request that was refused earlier. */
export const grpcCodeOf = (code: string, stage: "refused" | "called"): GrpcCode =>
  rowOf(code)?.grpc ?? UNKNOWN[stage].grpc;
