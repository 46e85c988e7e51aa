// What Azure has no words for: saying something in rooms with a key and a position, in one, several or many. Names of
// members follow Centrifugo's.

import { z } from "zod";
import { publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { parseTopic, type Topic } from "../../model/topic.ts";
import type { Draft } from "../../rooms/rpc/log-entry.ts";
import type { Asked } from "./hub-request.ts";
import { Arguments, Excluded, operation, Position, Target } from "./operation.ts";

export const Publication = {
  target: Target,
  arguments: Arguments,
  /** Said twice under one key, it is said once, as long as the room's log remembers. */
  idempotency_key: z.string().min(1).max(256).optional(),
  excluded: Excluded,
};
export type Publication = z.output<z.ZodObject<typeof Publication>>;

/** Each service has keys of its own, as far as it has a token of its own; those of hub code's calls cannot meet them. */
const idOf = ({ service }: Asked, key: string | undefined) =>
  key === undefined ? {} : { id: JSON.stringify(["service", service.user?.id ?? null, key]) };

export const draftOf = (asked: Asked, said: Publication): Draft => ({
  ...asked.draft(said),
  ...idOf(asked, said.idempotency_key),
  ...(said.excluded && { except: said.excluded }),
});

async function publishTo(asked: Asked, topic: Topic, said: Publication) {
  const { epoch, offset } = await asked.room(topic).publish(draftOf(asked, said));
  return { epoch, offset };
}

const publish = operation({
  id: "publish",
  method: "POST",
  path: "/rooms/{room}/:publish",
  summary: "Says something in a room; answered when it is durable, with its position.",
  body: z.strictObject(Publication),
  answer: Position,
  handle: async (asked, { body }) => ({ body: await publishTo(asked, asked.topic, body) }),
});

export const Failed = z.object({ code: z.string(), message: z.string() });
export const AT_MOST = 100;

/** What one of several came to. */
async function outcome(work: () => Promise<object>) {
  try {
    return { result: await work() };
  } catch (error) {
    return failed(error);
  }
}

export function failed(error: unknown) {
  const { code, message } = publicError(error);
  if (code === "internal") logError("publication_failed", { error });
  return { error: { code, message } };
}

const broadcast = operation({
  id: "broadcastToRooms",
  method: "POST",
  path: "/:broadcast",
  summary: "Says the same in several rooms; each has its own outcome.",
  body: z.strictObject({ rooms: z.array(z.string()).min(1).max(AT_MOST), ...Publication }),
  answer: z.object({
    responses: z.array(z.union([z.object({ result: Position }), z.object({ error: Failed })])),
  }),
  handle: async (asked, { body: { rooms, ...said } }) => {
    const responses = rooms.map((room) =>
      outcome(async () => publishTo(asked, parseTopic(room), said)),
    );
    return { body: { responses: await Promise.all(responses) } };
  },
});

export const publishing = [publish, broadcast];
