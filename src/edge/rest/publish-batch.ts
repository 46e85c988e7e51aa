// Several publications in one request. Publications to one room are sent to its object in one call, if the order
// allows it; the object stores them in one transaction of its log.

import * as z from "zod/mini";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Draft } from "../../rooms/rpc/log-entry.ts";
import type { HubRequest } from "./hub-request.ts";
import { headerKey } from "./idempotency-key.ts";
import { operation } from "./operation.ts";
import { Position } from "./operation-schemas.ts";
import { AT_MOST, draftOf, Failed, failedReply, idOf, Publication } from "./publish-operations.ts";

/** Centrifugo's form: an object with the command's name as its one member. */
const Command = z.strictObject({
  publish: z.strictObject({ room: z.string(), ...Publication }),
});
type Command = z.output<typeof Command>;

/**
 * A command that passed its checks, with its index in the request. The checks need no object: a faulty command reaches
 * no room.
 */
interface Prepared {
  readonly index: number;
  readonly topic: Topic;
  readonly draft: Draft;
}

// Replies are in the order of the commands. A command that fails has no effect on the others: the request is not one
// transaction. Without `parallel` publications are made in the order of the request over all rooms, and a slow room
// delays the next; with it, the order is kept only within each room.
export const batch = operation({
  id: "batch",
  method: "POST",
  path: "/:batch",
  summary: "Several publications, in order, or with parallel all at once.",
  body: z.strictObject({
    commands: z.array(Command).check(z.minLength(1), z.maxLength(AT_MOST)),
    parallel: z.optional(z.boolean()),
  }),
  answer: z.object({
    replies: z.array(z.union([z.object({ publish: Position }), z.object({ error: Failed })])),
  }),
  isKeyed: true,
  handle: async (hub, { body: { commands, parallel } }) => {
    // Throws here, because a faulty header fails the whole request.
    headerKey(hub.request);
    const replies: object[] = [];
    const prepared = commands.flatMap((command, index) => {
      try {
        return [prepare(hub, command, index)];
      } catch (error) {
        replies[index] = failedReply(error);
        return [];
      }
    });
    const publish = async (run: readonly Prepared[]) => {
      const outcomes = await publishRun(hub, run);
      for (const [nth, { index }] of run.entries()) replies[index] = outcomes[nth]!;
    };
    if (parallel) await Promise.all([...byRoom(prepared)].map(publish));
    // oxlint-disable-next-line no-await-in-loop -- in the order of the request
    else for (const run of runsOf(prepared)) await publish(run);
    return { body: { replies } };
  },
});

/** Throws `too_large`, `room_kind_not_found` or `invalid_name`. */
const prepare = (
  hub: HubRequest,
  { publish: { room, ...publication } }: Command,
  index: number,
): Prepared => ({
  ...{ index, topic: hub.roomNamed(room) },
  draft: { ...draftOf(hub, publication), ...keyOf(hub, publication, index) },
});

/**
 * The command's own key; else the header's key with the command's index, since two commands for one room are two
 * publications. The same request, repeated, has the same keys.
 */
function keyOf(hub: HubRequest, { idempotency_key: own }: Publication, index: number) {
  if (own !== undefined) return idOf(hub, own);
  const header = headerKey(hub.request);
  return header === undefined ? {} : idOf(hub, header, index);
}

const roomOf = ({ topic }: Prepared): string => formatTopic(topic);

/** All publications of each room together. */
const byRoom = (prepared: readonly Prepared[]): Iterable<readonly Prepared[]> =>
  Map.groupBy(prepared, roomOf).values();

/** Consecutive publications to one room together, which keeps the order of the request over all rooms. */
function* runsOf(prepared: readonly Prepared[]): Generator<readonly Prepared[]> {
  let run: Prepared[] = [];
  for (const one of prepared) {
    if (run.length > 0 && roomOf(run[0]!) !== roomOf(one)) {
      yield run;
      run = [];
    }
    run.push(one);
  }
  if (run.length > 0) yield run;
}

/** Publishes at least one publication to one room. If the call fails as a whole, each reply has that error. */
async function publishRun(hub: HubRequest, run: readonly Prepared[]): Promise<readonly object[]> {
  try {
    const drafts = run.map(({ draft }) => draft);
    const outcomes = await hub.publishIn(run[0]!.topic, (room) => room.publishAll(drafts));
    return outcomes.map((one) => ("code" in one ? { error: one } : { publish: one }));
  } catch (error) {
    return run.map(() => failedReply(error));
  }
}
