// Feeds: event streams of one room at a path of the application's own, with its names of events and its data.

import type { FeedPath } from "../../dispatch/define/hub-paths.ts";
import { roomFor } from "../../dispatch/define/group-names.ts";
import { runtimeAt } from "../../dispatch/define/runtime.ts";
import { formatTopic, parsePosition, parseTopic } from "../../model/topic.ts";
import { admitCounted, checkConnectRate, userAt } from "../admit/admission.ts";
import { decodePathSegment, servedHub } from "../admit/request-target.ts";
import { sourceOf, type StreamServing } from "../stream/room-sources.ts";
import { formattedStream, lastEventId } from "./event-streams.ts";
import { eventOf, type EventFormat } from "./sse-events.ts";

/** The feed that a request is for, and the parameters of its path. */
interface RequestedFeed {
  readonly feed: FeedPath;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Answers with a stream, whatever the request accepts. Throws what authentication, the feed's `room`, the webhook and
 * the room throw, `forbidden`, `rate_limited`, `invalid_position`, and `invalid_name` for a path that is not UTF-8.
 */
export async function readFeed(
  request: Request,
  serving: StreamServing,
  { feed, params }: RequestedFeed,
): Promise<Response> {
  const served = servedHub(serving.hubs, feed.hub);
  const user = await userAt(request, { hub: feed.hub }, serving);
  const { pathname, searchParams: query } = new URL(request.url);
  // Hono would leave what is not UTF-8 percent-encoded, which is another name.
  decodePathSegment(pathname);
  // Before `room`, which may read a database: a client that is refused costs nothing.
  await checkConnectRate({ request, user }, serving.env);
  const runtime = runtimeAt(serving, { hub: feed.hub, method: feed.path });
  const room = await feed.roomOf({ params, query, user, ...runtime });
  const topic = roomFor(served, parseTopic(room));
  const candidate = { request, user, served, topic, serving };
  const entrant = await admitCounted(candidate, [formatTopic(topic)]);
  const since = lastEventId(request);
  if (since !== "") parsePosition(since);
  const sources = [sourceOf(entrant, since)];
  const { limits } = served.settings;
  const stream = { sources, frames: serving.frames, limits, format: formatOf(feed) };
  return formattedStream(stream, request);
}

/**
 * The feed's events, and the protocol's own `connected`, `recovered`, `reset` and `end`: they show a client that
 * resumes whether it has missed messages.
 */
const formatOf = ({ path, hub, events }: FeedPath): EventFormat => ({
  encoding: `feed ${hub} ${path}`,
  eventOf(delivery) {
    const { method = "", params } = delivery.record;
    if (method.startsWith("$/")) return method === "$/presence" ? undefined : eventOf(delivery);
    const event = events.get(method);
    return event && { name: event.name, data: event.data(...(params as unknown[])) };
  },
});
