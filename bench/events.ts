// Server-Sent Events of our rooms and of the hand-written peer: `event:`, `id:`, and the arguments as `data:`.

import { seqOf } from "./dialect.ts";

const MESSAGE = /^event: said\n(?:id: [^\n]*\n)?data: (?<data>[^\n]*)$/;
/** Blocks without a message: comments, the retry time, the start of a stream, joins and leaves. */
const IDLE = /^(?::|retry: \d+$|event: (?:connected|presence)\n)/;

/** Numbers of the messages; NaN for anything unexpected, above all the end of the stream. */
export const messagesInEvents = (frame: string): number[] =>
  frame
    .slice(0, -2)
    .split("\n\n")
    .flatMap((block) => {
      const data = MESSAGE.exec(block)?.groups?.["data"];
      if (data !== undefined) return [seqOf((JSON.parse(data) as unknown[])[0])];
      return IDLE.test(block) ? [] : [Number.NaN];
    });
