// Errors as gRPC's users expect them: one of its codes, and our own stable one among the details.

import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { grpcCodeOf, type ErrorCode } from "../../model/error-table.ts";
import { CLOSE, HubError, publicError, reasonOf, type CloseCode } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { ErrorInfoSchema } from "../../protocols/proto/google/rpc/error_details_pb.ts";
import { isOverload } from "../answer/overload.ts";
import { CallError } from "./grpc-call.ts";

/** Whatever was thrown, as callers see it. */
export function connectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return explained(error);
  if (isAbort(error)) return new ConnectError("The caller is gone.", Code.Canceled);
  const shown = shownOf(error);
  // What failed at its hub is in the log already.
  if (shown.code === "internal" && !(error instanceof CallError))
    logError("request_failed", { error });
  const stage = error instanceof CallError ? "called" : "refused";
  const grpcCode: Code = grpcCodeOf(shown.code, stage);
  return withReason(new ConnectError(shown.message, grpcCode), shown.code);
}

/** What Connect's library throws itself, so far as it comes by here. */
const REASONS: ReadonlyMap<Code, ErrorCode> = new Map<Code, ErrorCode>([
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

const ENDS: ReadonlyMap<number, ErrorCode> = new Map<CloseCode, ErrorCode>([
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
