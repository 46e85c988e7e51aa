// Whatever a call throws, wherever it is thrown: as its caller sees it, and, where it was turned away, in the log.

import {
  type ConnectError,
  type ContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { authenticate } from "../../auth/authenticate.ts";
import { Health } from "../../protocols/proto/grpc/health/v1/health_pb.ts";
import { logRefusal } from "../answer/refusal-log.ts";
import { httpStatusOf, type ErrorCode } from "../../model/error-table.ts";
import { ASKING, CallError } from "./grpc-call.ts";
import { connectError, reasonIn } from "./grpc-errors.ts";

/** Before anything of the body is read: that there is time left, and who asks. */
export async function admitted({ signal, values, service }: HandlerContext): Promise<void> {
  try {
    signal.throwIfAborted();
    const asking = values.get(ASKING);
    asking?.body.until(signal);
    if (!asking || service.typeName === Health.typeName) return;
    values.set(ASKING, { ...asking, user: await authenticate(asking.request, asking.env) });
  } catch (error) {
    throw refusal(error, values);
  }
}

/** Whatever a handler throws, or the stream it gives. */
export const translated: Interceptor = (next) => async (request) => {
  const { contextValues } = request;
  try {
    const response = await next(request);
    return response.stream
      ? { ...response, message: told(response.message, contextValues) }
      : response;
  } catch (error) {
    throw refusal(error, contextValues);
  }
};

/** What ends a stream that has begun is no refusal. */
async function* told<T>(messages: AsyncIterable<T>, values: ContextValues): AsyncGenerator<T> {
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

function refusal(error: unknown, values: ContextValues): ConnectError {
  const shown = connectError(error);
  const code = reasonIn(shown);
  const asking = values.get(ASKING);
  if (!asking || code === undefined || error instanceof CallError || BROKEN_OFF.has(code))
    return shown;
  const status = httpStatusOf(code);
  logRefusal(asking.request, asking.env, { hub: asking.hub ?? "", status, code });
  return shown;
}

/** The caller went away, or the connection ended: nobody was refused. */
const BROKEN_OFF: ReadonlySet<string> = new Set<ErrorCode>(["cancelled", "interrupted", "ended"]);
