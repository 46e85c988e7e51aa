// Errors as gRPC's users expect them: one of its codes, and our own stable one among the details.

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { CLOSE, HubError, publicError, reasonOf, type CloseCode } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { ErrorInfoSchema } from "../../protocols/proto/google/rpc/error_details_pb.ts";
import { isOverload } from "../answer/overload.ts";
import { CallError } from "./grpc-call.ts";

const CODES: ReadonlyMap<string, Code> = new Map([
  ["unauthorized", Code.Unauthenticated],
  ["token_revoked", Code.Unauthenticated],
  ["forbidden", Code.PermissionDenied],
  ["forbidden_origin", Code.PermissionDenied],
  ["banned", Code.PermissionDenied],
  ["refused_by_webhook", Code.PermissionDenied],
  ["not_found", Code.NotFound],
  ["hub_not_found", Code.NotFound],
  ["room_kind_not_found", Code.NotFound],
  ["method_not_found", Code.NotFound],
  ["stream_not_found", Code.NotFound],
  ["connection_not_found", Code.NotFound],
  ["invalid_request", Code.InvalidArgument],
  ["invalid_arguments", Code.InvalidArgument],
  ["invalid_item", Code.InvalidArgument],
  ["invalid_name", Code.InvalidArgument],
  ["invalid_position", Code.InvalidArgument],
  ["malformed", Code.InvalidArgument],
  ["too_deep", Code.InvalidArgument],
  ["duplicate_id", Code.InvalidArgument],
  ["wrong_kind", Code.InvalidArgument],
  ["too_large", Code.ResourceExhausted],
  ["rate_limited", Code.ResourceExhausted],
  ["too_many_groups", Code.ResourceExhausted],
  ["too_many_streams", Code.ResourceExhausted],
  ["too_many_connections", Code.ResourceExhausted],
  ["history_gone", Code.Aborted],
  ["timed_out", Code.DeadlineExceeded],
  ["cancelled", Code.Canceled],
  ["interrupted", Code.Unavailable],
  ["unavailable", Code.Unavailable],
  ["room_full", Code.Unavailable],
  ["relay_full", Code.Unavailable],
  ["keys_unavailable", Code.Unavailable],
  ["webhook_unavailable", Code.Unavailable],
  ["upgrade_required", Code.Unimplemented],
  ["unimplemented", Code.Unimplemented],
  ["misconfigured", Code.Internal],
  ["internal", Code.Internal],
]);

/** Of a refused token, whatever is wrong with it; others are hub code's own, which refuses what cannot be done now. */
const codeFor = (code: string): Code =>
  CODES.get(code) ?? (code.startsWith("token_") ? Code.Unauthenticated : Code.FailedPrecondition);

/** Whatever was thrown, as callers see it. */
export function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return explained(error);
  if (isAbort(error)) return new ConnectError("The caller is gone.", Code.Canceled);
  const shown = shownOf(error);
  // What failed at its hub is in the log already.
  if (shown.code === "internal" && !(error instanceof CallError))
    logError("request_failed", { error });
  return withReason(new ConnectError(shown.message, codeFor(shown.code)), shown.code);
}

/** What Connect's library throws itself, so far as it comes by here. */
const REASONS: ReadonlyMap<Code, string> = new Map([
  [Code.DeadlineExceeded, "timed_out"],
  [Code.Canceled, "cancelled"],
  [Code.ResourceExhausted, "too_large"],
  [Code.InvalidArgument, "malformed"],
  [Code.Unimplemented, "unimplemented"],
]);

function explained(error: ConnectError): ConnectError {
  const reason = error.details.length === 0 ? REASONS.get(error.code) : undefined;
  return reason === undefined ? error : withReason(error, reason);
}

function withReason(error: ConnectError, reason: string): ConnectError {
  const { code, metadata, details } = error;
  metadata.set(REASON, reason);
  if (code === Code.Unavailable || (code === Code.ResourceExhausted && reason !== "too_large"))
    metadata.set("retry-after", "1");
  const value = create(ErrorInfoSchema, { reason, domain: "dormouse" });
  details.push({ desc: ErrorInfoSchema, value });
  return error;
}

const REASON = "x-dormouse-error";

/** The stable code of an error that is known by one. */
export const reasonIn = ({ metadata }: ConnectError): string | undefined =>
  metadata.get(REASON) ?? undefined;

const isAbort = (error: unknown): boolean => (error as Error | null)?.name === "AbortError";

const shownOf = (error: unknown): HubError =>
  isOverload(error as Error)
    ? new HubError("unavailable", "The hub's objects have too much to do.")
    : publicError(error);

const ENDS: ReadonlyMap<number, string> = new Map<CloseCode, string>([
  [CLOSE.expired, "token_expired"],
  [CLOSE.revoked, "token_revoked"],
  [CLOSE.slow, "rate_limited"],
  [CLOSE.flooding, "rate_limited"],
  [CLOSE.gone, "hub_not_found"],
  [CLOSE.forbidden, "forbidden"],
  [CLOSE.malformed, "malformed"],
  [CLOSE.failed, "internal"],
  [CLOSE.dismissed, "ended"],
  [CLOSE.replaced, "ended"],
]);

/** Why a socket behind a stream was closed; what it does not say is a loss, after which the caller may come back. */
export function endingOf(code: number, reason: string): HubError {
  const own = ENDS.get(code);
  const words = reason || (own && reasonOf(code as CloseCode)) || "The stream was cut off.";
  return new HubError(own ?? "interrupted", words);
}
