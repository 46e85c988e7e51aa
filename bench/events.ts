// Server-Sent Events, as our rooms write them and the peer does: `event:`, `id:`, and the arguments as `data:`.

import { seqOf } from "./dialect.ts";

const SAID = /^event: said\n(?:id: [^\n]*\n)?data: (?<data>[^\n]*)$/;
/** What carries nothing: comments, when to come back, how a stream begins. */
const IDLE = /^(?::|retry: \d+$|event: connected\n)/;

/** Numbers of the messages; NaN for whatever a stream should not say, its end above all. */
export const heardOfEvents = (frame: string): number[] =>
  frame
    .slice(0, -2)
    .split("\n\n")
    .flatMap((block) => {
      const data = SAID.exec(block)?.groups?.["data"];
      if (data !== undefined) return [seqOf((JSON.parse(data) as unknown[])[0])];
      return IDLE.test(block) ? [] : [Number.NaN];
    });
