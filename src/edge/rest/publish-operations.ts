// Publishing to rooms of any kind, with idempotency keys and positions, which Azure's data plane does not have. Members
// are named as in Centrifugo's HTTP API. Several different publications in one request: publish-batch.ts.

import * as z from "zod/mini";
import { IdempotencyKey, Target } from "../../dispatch/protocol-methods/room-methods.ts";
import { isUnexpected, publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import type { Topic } from "../../model/topic.ts";
import type { Draft } from "../../rooms/rpc/log-entry.ts";
import type { HubRequest } from "./hub-request.ts";
import { headerKey, oneKey } from "./idempotency-key.ts";
import { operation } from "./operation.ts";
import { Arguments, Excluded, Position } from "./operation-schemas.ts";

/** The members of a publication, without its room. */
export const Publication = {
  target: Target,
  arguments: Arguments,
  /**
   * Publications with the same key are stored and delivered once, as long as the room's log has the first: repetitions
   * are answered with the first one's position.
   */
  idempotency_key: z.optional(IdempotencyKey),
  excluded: Excluded,
};
export type Publication = z.output<z.ZodMiniObject<typeof Publication>>;

/**
 * The key as the log stores it. Each service that authenticates as a user has keys of its own; services that use access
 * keys share theirs. Keys of clients' calls to hub code have another form, and never match.
 */
export const idOf = ({ service }: HubRequest, ...key: readonly (string | number)[]) => ({
  id: JSON.stringify(["service", service.user?.id ?? null, ...key]),
});

/** The publication as a message draft, without its key. Throws `too_large`. */
export const draftOf = (hub: HubRequest, publication: Publication): Draft => ({
  ...hub.draft(publication),
  ...(publication.excluded && { except: publication.excluded }),
});

/** The key is the body's or the header's. Throws what the room throws, `too_large` and `invalid_arguments`. */
export async function publishTo(hub: HubRequest, topic: Topic, publication: Publication) {
  const key = oneKey(headerKey(hub.request), publication.idempotency_key);
  const id = key === undefined ? {} : idOf(hub, key);
  const draft = { ...draftOf(hub, publication), ...id };
  const { epoch, offset } = await hub.publishIn(topic, (room) => room.publish(draft));
  return { epoch, offset };
}

// Without an answer it is unknown whether the message was stored: a request should only be repeated with an idempotency
// key. Publications of consecutive requests keep their order in the room; those of concurrent requests have none.
const publish = operation({
  id: "publish",
  method: "POST",
  path: "/rooms/{room}/:publish",
  summary: "Publishes a message to a room; answers with its position when it is durable.",
  body: z.strictObject(Publication),
  isKeyed: true,
  answer: Position,
  handle: async (hub, { body }) => ({ body: await publishTo(hub, hub.topic, body) }),
});

/** The outcome of one publication among several: its own error, while the request as a whole succeeds. */
export const Failed = z.object({ code: z.string(), message: z.string() });
/** The most rooms or publications of one request. */
export const AT_MOST = 100;

/** Never rejects: the error of a room is its row in the response. */
async function outcomeOf(work: () => Promise<object>) {
  try {
    return { result: await work() };
  } catch (error) {
    return failedReply(error);
  }
}

/** Unexpected errors are logged, and shown as `internal`. */
export function failedReply(error: unknown) {
  const { code, message } = publicError(error);
  if (isUnexpected(error)) logError("publication_failed", { error });
  return { error: { code, message } };
}

// Rooms are independent: if one fails, the message is still published to the others; there is no order among rooms.
// Responses are in the order of `rooms`. One idempotency key serves for all rooms, because each room has its own log.
const broadcast = operation({
  id: "broadcastToRooms",
  method: "POST",
  path: "/:broadcast",
  summary: "Publishes the same message to several rooms; each has its own outcome.",
  body: z.strictObject({
    rooms: z.array(z.string()).check(z.minLength(1), z.maxLength(AT_MOST)),
    ...Publication,
  }),
  isKeyed: true,
  answer: z.object({
    responses: z.array(z.union([z.object({ result: Position }), z.object({ error: Failed })])),
  }),
  handle: async (hub, { body: { rooms, ...publication } }) => {
    // Throws here, because a faulty key fails the whole request.
    oneKey(headerKey(hub.request), publication.idempotency_key);
    const responses = rooms.map((room) =>
      outcomeOf(async () => publishTo(hub, hub.roomNamed(room), publication)),
    );
    return { body: { responses: await Promise.all(responses) } };
  },
});

export const publishing = [publish, broadcast];
