// Calls with one message in each direction: a publication to a room, an invocation of a hub method, a run of an action,
// and the state of a room.

import type { HandlerContext } from "@connectrpc/connect";
import type { RunAnswer, StateSnapshot } from "../../model/state-wire.ts";
import type {
  GetStateRequest,
  InvokeRequest,
  PublishRequest,
  RunRequest,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import {
  admittedCaller,
  callHubOf,
  callText,
  checkTopic,
  invokeText,
  publishText,
  resultOf,
  runText,
} from "./grpc-call.ts";
import { ranResponse, valueOf } from "./room-messages.ts";

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

/** Repeatable with an idempotency key. */
export async function run(request: RunRequest, context: HandlerContext) {
  const caller = await admittedCaller(context, request.hub);
  const [answer] = await callHubOf(caller, context, runText(0, request));
  return ranResponse(resultOf(answer!) as unknown as RunAnswer);
}

/** Fails with `method_not_found` if the hub shows clients no state. */
export async function getState({ hub, topic }: GetStateRequest, context: HandlerContext) {
  const params = { room: checkTopic(topic) };
  const caller = await admittedCaller(context, hub);
  const text = callText({ id: 0, method: "$/snapshot", params });
  const [answer] = await callHubOf(caller, context, text);
  const { state, position } = resultOf(answer!) as unknown as StateSnapshot;
  return { stateJson: JSON.stringify(state), position };
}
