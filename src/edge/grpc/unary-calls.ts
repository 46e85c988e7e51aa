// Calls with one message each way: something is said in a room; a hub's method is called.

import type { HandlerContext } from "@connectrpc/connect";
import type { InvokeRequest, PublishRequest } from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { answers, callerIn, invokeText, publishText, resultOf } from "./grpc-call.ts";
import { valueOf } from "./room-messages.ts";

export async function publish(request: PublishRequest, context: HandlerContext) {
  const caller = await callerIn(context, request.hub);
  const [answer] = await answers(caller, context, publishText(0, request));
  return resultOf(answer!) as { position: string };
}

export async function invoke(request: InvokeRequest, context: HandlerContext) {
  const caller = await callerIn(context, request.hub);
  const [answer] = await answers(caller, context, invokeText(0, request));
  return { result: valueOf(resultOf(answer!)) };
}
