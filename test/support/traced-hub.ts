// A hub whose hooks, methods and actions publish the trace that they are given.

import * as z from "zod";
import { action, anyone, hub, internal, method } from "../../src/hub.ts";

interface TracedClient {
  noted(where: string, trace: string | undefined): void;
}

/** A room beside each: objects keep the receiver that they began with, and each test has another. */
const logOf = ({ name }: { readonly name: string }) => `log of ${name}`;

export const TracedHub = hub<TracedClient>("traced", {
  rooms: { group: { enter: anyone }, order: { enter: anyone } },
  connected: ({ clients, trace, room }) => clients.group(logOf(room)).noted("connected", trace),
  disconnected: ({ clients, trace, room }) =>
    clients.group(logOf(room)).noted("disconnected", trace),
  left: ({ clients, trace, room }) => clients.group(logOf(room)).noted("left", trace),
})
  .state("order", { schema: z.object({ count: z.number() }), initial: { count: 0 } })
  .internal({
    later: internal([], ({ clients, trace }) => clients.room.noted("by the clock", trace)),
  })
  .actions({
    note: action([], ({ state, clients, room, trace }) => {
      state.count++;
      clients.room.noted("here", trace);
      clients.group(logOf(room)).noted("elsewhere", trace);
    }),
    schedule: action([], ({ schedule }) => schedule.in(0).later()),
  })
  .hooks({
    async joined({ clients, trace, room, order }) {
      await clients.group(logOf(room)).noted("joined", trace);
      if (room.name === "hooked") await order("hooked").internal.later();
    },
  })
  .methods({
    run: method([z.string()], ({ order }, id) => order(id).run.note()),
    runInternal: method([z.string()], ({ order }, id) => order(id).internal.later()),
    enter: method([z.string()], ({ group }, name) => group(name).join()),
    leave: method([z.string()], ({ group }, name) => group(name).leave()),
  });
