// Several publications in one request: those that one room hears together go there in one call.

import { z } from "zod";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { Draft } from "../../rooms/rpc/log-entry.ts";
import type { Asked } from "./hub-request.ts";
import { operation, Position } from "./operation.ts";
import { AT_MOST, draftOf, Failed, failed, Publication } from "./publish-operations.ts";

const Command = z.strictObject({
  publish: z.strictObject({ room: z.string(), ...Publication }),
});
type Command = z.output<typeof Command>;

/** What may be said, and which of the commands it was. */
interface Ready {
  readonly index: number;
  readonly topic: Topic;
  readonly draft: Draft;
}

export const batch = operation({
  id: "batch",
  method: "POST",
  path: "/:batch",
  summary: "Several publications, one after another, or with parallel all at once.",
  body: z.strictObject({
    commands: z.array(Command).min(1).max(AT_MOST),
    parallel: z.boolean().optional(),
  }),
  answer: z.object({
    replies: z.array(z.union([z.object({ publish: Position }), z.object({ error: Failed })])),
  }),
  handle: async (asked, { body: { commands, parallel } }) => {
    const replies: object[] = [];
    const ready = commands.flatMap((command, index) => {
      try {
        return [readied(asked, command, index)];
      } catch (error) {
        replies[index] = failed(error);
        return [];
      }
    });
    const say = async (run: readonly Ready[]) => {
      const outcomes = await saidIn(asked, run);
      for (const [nth, { index }] of run.entries()) replies[index] = outcomes[nth]!;
    };
    if (parallel) await Promise.all([...byRoom(ready)].map(say));
    // oxlint-disable-next-line no-await-in-loop -- in their order
    else for (const run of together(ready)) await say(run);
    return { body: { replies } };
  },
});

/** Throws what is wrong with it. */
const readied = (asked: Asked, { publish: { room, ...said } }: Command, index: number): Ready => ({
  ...{ index, topic: parseTopic(room) },
  draft: draftOf(asked, said),
});

const roomOf = ({ topic }: Ready): string => formatTopic(topic);

const byRoom = (ready: readonly Ready[]): Iterable<readonly Ready[]> =>
  Map.groupBy(ready, roomOf).values();

/** Neighbours of one room: so all are said in the order of the request. */
function* together(ready: readonly Ready[]): Generator<readonly Ready[]> {
  let run: Ready[] = [];
  for (const one of ready) {
    if (run.length > 0 && roomOf(run[0]!) !== roomOf(one)) {
      yield run;
      run = [];
    }
    run.push(one);
  }
  if (run.length > 0) yield run;
}

async function saidIn(asked: Asked, run: readonly Ready[]): Promise<readonly object[]> {
  try {
    const drafts = run.map(({ draft }) => draft);
    const outcomes = await asked.room(run[0]!.topic).publishAll(drafts);
    return outcomes.map((one) => ("code" in one ? { error: one } : { publish: one }));
  } catch (error) {
    return run.map(() => failed(error));
  }
}
