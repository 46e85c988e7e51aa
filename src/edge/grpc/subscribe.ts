// Subscribe: several rooms as one stream of messages. Each room needs a socket to its object, as for Server-Sent Events
// (stream/room-stream.ts); all messages but the first bypass Connect's pipeline (encoded-stream.ts).

import type { HandlerContext } from "@connectrpc/connect";
import { HubError } from "../../model/errors.ts";
import { canonicalTopic, formatTopic, parseTopic } from "../../model/topic.ts";
import type {
  SubscribeRequest,
  SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { admitAttempt, authorize } from "../admit/admission.ts";
import { ROOMS_AT_MOST, sourceOf, type RoomSource } from "../stream/room-sources.ts";
import { onAbort, untilAborted } from "./abort-signals.ts";
import { OUTLET } from "./encoded-stream.ts";
import { authenticatedCall, callerAtHub, checkTopic } from "./grpc-call.ts";
import { Subscription } from "./subscription.ts";

/**
 * The first message is the standing of the first room that has begun. Throws what admission throws, `too_many_groups`,
 * `rate_limited` and a room's refusal, all before the first message; later the error that ends the stream.
 */
export async function* subscribe(
  request: SubscribeRequest,
  context: HandlerContext,
): AsyncGenerator<SubscribeResponse> {
  const isJson = /json/i.test(context.requestHeader.get("content-type") ?? "");
  const { signal } = context;
  const sources = await untilAborted(signal, sourcesOf(request, context));
  const { frames } = authenticatedCall(context).serving;
  const { limits } = callerAtHub(context, request.hub).served.settings;
  const options = { ...request, isJson };
  const subscription = new Subscription({ sources, frames, limits, options });
  const { first, queue } = subscription;
  onAbort(signal, () => queue.end(signal.reason));
  await untilAborted(signal, subscription.begin());
  context.values.get(OUTLET)!.queue = queue;
  // A queue that is already full has ended, but is still read.
  const begun = await Promise.race([first, queue.over]);
  if (begun) yield begun;
  // All further messages are sent by the outlet. The queue's error, if any, becomes the status of the stream.
  await queue.over;
}

/** Admits the caller to every room, with the checks in the same order as for other protocols. */
async function sourcesOf(
  request: SubscribeRequest,
  context: HandlerContext,
): Promise<RoomSource[]> {
  const { serving } = authenticatedCall(context);
  const { request: http, user: authenticated, served } = callerAtHub(context, request.hub);
  const positions = positionsOf(request);
  const rooms = [...positions.keys()];
  const topics = rooms.map(parseTopic);
  const attempt = { request: http, user: authenticated, hub: served.name, room: topics[0]!, rooms };
  const user = await admitAttempt(attempt, serving.env);
  const entrants = await Promise.all(
    topics.map((topic) => authorize({ request: http, user, served, topic, serving })),
  );
  return entrants.map((one) => sourceOf(one, positions.get(formatTopic(one.topic))));
}

/**
 * The caller's positions by canonical topic: two spellings of one topic count as a duplicate. Throws
 * `invalid_arguments`, `too_many_groups`, `room_kind_not_found` or `invalid_name`.
 */
function positionsOf({ topics }: SubscribeRequest): ReadonlyMap<string, string | undefined> {
  const positions = new Map(
    topics.map(({ topic, position }) => [
      canonicalTopic(checkTopic(topic)),
      position === "" ? undefined : position,
    ]),
  );
  if (positions.size === 0) throw new HubError("invalid_arguments", "The topics are missing.");
  if (positions.size > ROOMS_AT_MOST)
    throw new HubError("too_many_groups", `A stream has ${ROOMS_AT_MOST} topics at most.`);
  if (positions.size < topics.length)
    throw new HubError("invalid_arguments", "A topic may be named only once.");
  return positions;
}
