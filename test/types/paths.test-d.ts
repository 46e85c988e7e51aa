// Paths, feeds, users' ids, named arguments and hubContext: what must compile, and what must not. Compiled by `npm run
// types`.

import * as z from "zod";
import { feed, hub, hubContext, jsonRpc, method, named, serve } from "../../src/server.ts";
import type { EndpointEnv } from "../../src/server.ts";
import type { HubCalls } from "../../src/dispatch/define/hub-types.ts";
import { expect, type Equal } from "./equal.ts";

interface Client {
  changed(id: string, status: number): void;
}

const Hub = hub<Client>("typed", { anonymous: true }).methods({
  add: method([named("a", z.number()), named("b", z.coerce.number())], (_context, a, b) => a + b),
});

// Names change no types.
declare const calls: HubCalls<typeof Hub>;
expect<Equal<ReturnType<typeof calls.invoke.add>, Promise<number>>>();
expect<Equal<Parameters<typeof calls.invoke.add>[0], number>>();

serve([Hub], {
  paths: [
    jsonRpc("/jsonrpc", Hub),
    feed("/a", Hub, { room: "group:a", events: { changed: "order-update" } }),
    feed("/b/:id", Hub, {
      room: ({ params, query, user }) => `order:${params["id"] ?? query.get("id") ?? user.id}`,
      events: { changed: { data: (id, status) => ({ id, status: status.toFixed() }) } },
    }),
    // @ts-expect-error -- the hub has no such client method
    feed("/c", Hub, { room: "group:a", events: { other: {} } }),
    // @ts-expect-error -- the data has the client method's arguments
    feed("/d", Hub, { room: "group:a", events: { changed: { data: (id: number) => id } } }),
  ],
});

serve([Hub], { userId: ({ email }, { tenant }) => `${tenant}/${String(email)}` });
// @ts-expect-error -- an id is text
serve([Hub], { userId: () => 42 });
// @ts-expect-error -- an id is known at once
serve([Hub], { userId: async () => "alice" });

declare const env: EndpointEnv;
const context = hubContext(env, Hub, { tenant: "acme" });
void context.clients.order("42").changed("42", 1);
// @ts-expect-error -- a status is a number
void context.clients.order("42").changed("42", "one");
// @ts-expect-error -- there is no token to issue
void context.negotiate;
