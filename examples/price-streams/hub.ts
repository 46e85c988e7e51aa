// A stream from the hub: the caller pulls items until it has enough, and the walk ends with it.

import { hub, signedIn, stream } from "dormouse-hubs/hub";
import * as z from "zod";

export const PriceHub = hub("price-streams", { authorize: signedIn }).methods({
  prices: stream(
    [z.string().regex(/^[A-Z]{1,5}$/), z.int().min(10).max(60_000)],
    async function* ({ signal }, symbol, everyMs) {
      let cents = 10_000;
      while (!signal.aborted) {
        yield { symbol, cents };
        cents += Math.round(Math.random() * 200) - 100;
        await scheduler.wait(everyMs, { signal });
      }
    },
  ),
});
export type PriceHub = typeof PriceHub;
