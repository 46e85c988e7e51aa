// The hub that a block of docs/state.md goes on with.

import { hub, internal } from "dormouse-hubs/hub";
import * as z from "zod";

export const payments = hub("payments")
  .state("group", { schema: z.object({ price: z.number() }), initial: { price: 0 } })
  .internal({ paid: internal([z.string()], () => {}) });
