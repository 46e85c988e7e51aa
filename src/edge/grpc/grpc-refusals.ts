// Authentication of calls, and the errors of all calls: converted for their callers (grpc-errors.ts) and, if the call
// was refused, logged. A call that failed at its hub was not refused, and is not logged here.

import {
  type ConnectError,
  type ContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { authenticate, Refusal } from "../../auth/authenticate.ts";
import { checkSetup } from "../../setup/check-setup.ts";
import { Health } from "../../protocols/proto/grpc/health/v1/health_pb.ts";
import { logRefusal } from "../answer/refusal-log.ts";
import { httpStatusOf, type ErrorCode } from "../../model/error-table.ts";
import { HubError } from "../../model/errors.ts";
import { CALL } from "./grpc-call.ts";
import { CallError, connectError, reasonIn } from "./grpc-errors.ts";

/** Connect's request gate, before the body is read: the call's deadline and its token. Throws a `ConnectError`. */
export async function authenticateCall(context: HandlerContext): Promise<void> {
  const { signal, values, service, requestHeader } = context;
  try {
    signal.throwIfAborted();
    // Connect's library checks the version only if it is required; here it is optional, for requests made by hand.
    if ((requestHeader.get("connect-protocol-version") ?? "1") !== "1")
      throw new HubError("invalid_request", "Connect-Protocol-Version is 1.");
    const call = values.get(CALL);
    call?.body.until(signal);
    if (!call || service.typeName === Health.typeName) return;
    const { request, serving } = call;
    checkSetup(serving.env, request.url);
    values.set(CALL, { ...call, user: await authenticate(request, serving.env, serving) });
  } catch (error) {
    throw refusal(error, values);
  }
}

/**
 * Translates every error of a handler, and of the stream that it returns. Connect then writes the error in the
 * protocol of the call, as a status or at the end of the stream.
 */
export const translateErrors: Interceptor = (next) => async (request) => {
  const { contextValues } = request;
  try {
    const response = await next(request);
    return response.stream
      ? { ...response, message: translatedStream(response.message, contextValues) }
      : response;
  } catch (error) {
    throw refusal(error, contextValues);
  }
};

/** An error after the first message ends a stream that was admitted: it is not a refusal. */
async function* translatedStream<T>(
  messages: AsyncIterable<T>,
  values: ContextValues,
): AsyncGenerator<T> {
  let hasBegun = false;
  try {
    for await (const message of messages) {
      hasBegun = true;
      yield message;
    }
  } catch (error) {
    throw hasBegun ? connectError(error) : refusal(error, values);
  }
}

/**
 * The error for the caller. A refused request is logged with the HTTP status of its code, which operators count. Errors
 * that the hub's own method threw are its answer, and not logged.
 */
function refusal(error: unknown, values: ContextValues): ConnectError {
  const shown = connectError(error);
  const code = reasonIn(shown);
  const call = values.get(CALL);
  if (!call || code === undefined || error instanceof CallError || BROKEN_OFF.has(code))
    return shown;
  const status = httpStatusOf(code);
  const claim = error instanceof Refusal ? error.claim : undefined;
  logRefusal(call.request, call.serving.env, { hub: call.hub ?? "", status, code, claim, error });
  return shown;
}

/** Codes that are no refusals: the caller went away, or the connection ended. */
const BROKEN_OFF: ReadonlySet<string> = new Set<ErrorCode>(["cancelled", "interrupted", "ended"]);
