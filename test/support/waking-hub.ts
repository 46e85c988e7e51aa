// Hubs for clients that are stopped and wake, and for those that only listen.

import * as z from "zod";
import { hub, method, signedIn } from "../../src/hub.ts";

/** Pings every second, and answers a call when the test wants it. */
export const WakingHub = hub("waking", {
  rooms: { group: { enter: signedIn } },
  liveness: { pingSeconds: 1 },
}).methods({
  answerAfter: method([z.number()], async (_context, delayMs) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return "answered";
  }),
});

export type WakingHub = typeof WakingHub;

/** Pings as often as hubs do. */
export const QuietHub = hub("quiet", { rooms: { group: { enter: signedIn } } }).methods({});

export type QuietHub = typeof QuietHub;
