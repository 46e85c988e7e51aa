// Calls with one message in each direction: a publication to a room, and an invocation of a hub method.

import type { HandlerContext } from "@connectrpc/connect";
import type { InvokeRequest, PublishRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { admittedCaller, callHubOf, invokeText, publishText, resultOf } from "./grpc-call.ts";
import { valueOf } from "./room-messages.ts";

/** Answers with the position of the message, once it is stored. Repeatable with an idempotency key. */
export async function publish(request: PublishRequest, context: HandlerContext) {
  const caller = await admittedCaller(context, request.hub);
  const [answer] = await callHubOf(caller, context, publishText(0, request));
  return resultOf(answer!) as { position: string };
}

/** Methods that take or return a stream need an Upload or a Session: the hub refuses them here. */
export async function invoke(request: InvokeRequest, context: HandlerContext) {
  const caller = await admittedCaller(context, request.hub);
  const [answer] = await callHubOf(caller, context, invokeText(0, request));
  return { result: valueOf(resultOf(answer!)) };
}
