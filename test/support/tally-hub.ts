// A hub with state whose actions show whether they were done once: bids, steps that follow on each other, and rings.

import * as z from "zod";
import { action, anyone, hub, HubError, internal } from "../../src/hub.ts";

const Tally = z.object({
  price: z.number(),
  /** The last step of each writer. */
  steps: z.record(z.string(), z.number()),
  /** How often each schedule has rung. */
  rings: z.record(z.string(), z.number()),
});

export const TallyHub = hub("tally", {
  rooms: { group: { enter: anyone } },
  limits: { callsPerSecond: 2_000, callBurst: 4_000 },
})
  .state("group", { schema: Tally, initial: { price: 0, steps: {}, rings: {} } })
  .internal({
    ring: internal([z.string()], ({ state }, id) => {
      state.rings[id] = (state.rings[id] ?? 0) + 1;
    }),
  })
  .actions({
    bid: action([z.number()], ({ state }, amount) => {
      if (amount <= state.price) throw new HubError("too_low", `${state.price} is bid already.`);
      return (state.price = amount);
    }),
    step: action([z.string(), z.number()], ({ state }, writer, step) => {
      const next = (state.steps[writer] ?? 0) + 1;
      if (step !== next) throw new HubError("out_of_step", `${writer} is at ${next}, not ${step}.`);
      return (state.steps[writer] = step);
    }),
    later: action([z.string()], ({ schedule }, id) => schedule.in(0.1, id).ring(id)),
  });
export type TallyHub = typeof TallyHub;
