// Errors as gRPC's clients expect them: one of gRPC's codes, and Dormouse's stable code in an `ErrorInfo` detail and
// in the metadata. Logging of refusals is in grpc-refusals.ts.

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { grpcCodeOf, httpStatusOf, type ErrorCode } from "../../model/error-table.ts";
import { CLOSE, errorText, HubError, reasonOf, type CloseCode } from "../../model/errors.ts";
import { challengeFor, headerCode, pauseFor } from "../../model/refusal-headers.ts";
import { ErrorInfoSchema } from "../../protocols/proto/google/rpc/error_details_pb.ts";
import { shownError } from "../answer/overload.ts";

/** The error with which a call failed at its hub. It is not logged here: the hub has logged it if necessary. */
export class CallError extends HubError<string> {}

/** Converts any thrown value for the caller. Unexpected errors are logged, and shown as `internal`. */
export function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return explained(error);
  if (isAbort(error)) return new ConnectError("The caller has disconnected.", Code.Canceled);
  const shown = shownError(error);
  const stage = error instanceof CallError ? "called" : "refused";
  const grpcCode: Code = grpcCodeOf(shown.code, stage);
  // gRPC-Web has both in headers, of which some clients read 16 KB.
  const [message, reason] = [errorText(shown.message).toWellFormed(), shown.code.slice(0, 128)];
  return withReason(new ConnectError(message, grpcCode), reason, shown.retryAfter);
}

/** Stable codes for errors of Connect's own library: deadlines, limits, messages that it cannot decode. */
const REASONS: ReadonlyMap<Code, ErrorCode> = new Map<Code, ErrorCode>([
  [Code.DeadlineExceeded, "timed_out"],
  [Code.Canceled, "cancelled"],
  [Code.ResourceExhausted, "too_large"],
  [Code.InvalidArgument, "malformed"],
  [Code.Unimplemented, "unimplemented"],
]);

/** Adds the stable code to an error, unless it has one already. */
function explained(error: ConnectError): ConnectError {
  const reason = error.details.length === 0 ? REASONS.get(error.code) : undefined;
  return reason === undefined ? error : withReason(error, reason);
}

/** Sets `retry-after` for errors that may pass; not if a message is too large, which would fail again. */
function withReason(error: ConnectError, reason: string, retryAfter?: number): ConnectError {
  const { code, metadata, details } = error;
  metadata.set(REASON, headerCode(reason));
  if (code === Code.Unavailable || (code === Code.ResourceExhausted && reason !== "too_large"))
    metadata.set("retry-after", pauseFor(reason, httpStatusOf(reason), retryAfter));
  if (code === Code.Unauthenticated) metadata.set("www-authenticate", challengeFor(reason));
  const value = create(ErrorInfoSchema, { reason, domain: "dormouse" });
  details.push({ desc: ErrorInfoSchema, value });
  return error;
}

const REASON = "x-dormouse-error";

/** The stable code that `connectError` gave the error. */
export const reasonIn = ({ metadata }: ConnectError): string | undefined =>
  metadata.get(REASON) ?? undefined;

/** The first message of an upload determines its kind. */
export const mixedUploadError = (): HubError =>
  new HubError("invalid_arguments", "An upload has publishes, or one invoke and its items.");

const isAbort = (error: unknown): boolean => (error as Error | null)?.name === "AbortError";

/** Stable codes by the close code of a stream's socket. */
const ENDS: ReadonlyMap<number, ErrorCode> = new Map<CloseCode, ErrorCode>([
  [CLOSE.expired, "token_expired"],
  [CLOSE.revoked, "token_revoked"],
  [CLOSE.banned, "banned"],
  [CLOSE.slow, "rate_limited"],
  [CLOSE.flooding, "rate_limited"],
  [CLOSE.busy, "busy"],
  [CLOSE.gone, "hub_not_found"],
  [CLOSE.forbidden, "forbidden"],
  [CLOSE.malformed, "malformed"],
  [CLOSE.failed, "internal"],
  [CLOSE.dismissed, "ended"],
  [CLOSE.replaced, "ended"],
]);

/** The error with which a stream ends when its socket closes. Unknown codes mean a broken connection: retry. */
export function endingOf(code: number, reason: string): HubError {
  const own = ENDS.get(code);
  const words = reason || (own && reasonOf(code as CloseCode)) || "The stream was cut off.";
  return new HubError(own ?? "interrupted", words);
}
