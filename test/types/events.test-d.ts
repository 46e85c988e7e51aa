// Code of an application that reads a room's events which must compile, and code that must not. Compiled by `npm run
// types`; never run.

import * as z from "zod";
import { events, type HubError, type RoomEvent } from "../../src/client/index.ts";
import { hub } from "../../src/dispatch/define/hub-definition.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { AuctionHub } from "../../src/hubs/auction.ts";
import type { PriceHub } from "../../src/hubs/prices.ts";
import { expect, type Equal } from "./equal.ts";

interface Asked {
  said(user: string, at: Date): void;
  confirm(question: string): Promise<boolean>;
}
export const AskingHub = hub<Asked>("asking", { answers: { confirm: z.boolean() } }).methods({});
export type AskingHub = typeof AskingHub;

const where = { room: "group:lobby", token: "t" } as const;

/** `method` narrows the type of the arguments, as they are after the wire. */
export async function methods(): Promise<void> {
  for await (const event of events<AskingHub>("/hubs/asking", where)) {
    if (event.method === "said") {
      expect<Equal<typeof event.params, [user: string, at: string]>>();
      expect<Equal<typeof event.room, string | undefined>>();
      event.id satisfies string;
    }
    // @ts-expect-error the hub has no such client method
    if (event.method === "shouted") return;
    // @ts-expect-error only calls of client methods have arguments
    event.params.length satisfies number;
  }
}

/** The same, destructured. */
export async function destructured(): Promise<void> {
  for await (const { method, params } of events<ChatHub>("/hubs/chat", where))
    if (method === "receiveMessage") {
      const [user, message] = params;
      expect<Equal<[typeof user, typeof message], [string, string]>>();
    }
}

/** `type` narrows every other member. */
export function describe(event: RoomEvent<ChatHub>): string {
  switch (event.type) {
    case "message":
      expect<Equal<typeof event.method, "receiveMessage" | "userJoined" | "userLeft">>();
      return event.method;
    case "connected":
    case "recovered":
      return `${event.room} ${event.position} ${event.hello.replayed}`;
    case "reset":
      // @ts-expect-error a reset need not carry a position
      event.position satisfies string;
      return event.room;
    case "presence":
      return `${event.change.joined?.map(({ userId }) => userId).join()}`;
    case "reconnecting":
      event.error satisfies HubError;
      return `${event.error.code} ${event.retryAt}`;
    default:
      return event satisfies never;
  }
}

// Rooms by kind, one or several; a position, a signal.
events<ChatHub>("/hubs/chat", { ...where, since: "e:0", signal: AbortSignal.timeout(1) });
events<ChatHub>("/hubs/chat", { rooms: ["group:a", "order:42"], token: async () => "t" });
// @ts-expect-error a room is required
events<ChatHub>("/hubs/chat", { token: "t" });
// @ts-expect-error one at least
events<ChatHub>("/hubs/chat", { rooms: [], token: "t" });
// @ts-expect-error there is no such kind
events<ChatHub>("/hubs/chat", { room: "lobby", token: "t" });
// @ts-expect-error one or several
events<ChatHub>("/hubs/chat", { ...where, rooms: ["group:a"] });
// A guest has no token.
events<ChatHub>("/hubs/chat", { room: "group:lobby" });

/** Rooms with state: the change, or the view as it is after the wire. */
export function priceOf(event: RoomEvent<typeof AuctionHub>): number | undefined {
  if (event.type !== "state") return undefined;
  expect<Equal<unknown extends typeof event.patch ? true : false, true>>();
  return event.state?.price;
}
// @ts-expect-error the hub has no rooms with state
export const stateless = (event: RoomEvent<ChatHub>) => event.type === "state";

/** A hub without client methods still has events of its own. */
export function quiet(event: RoomEvent<PriceHub>): string {
  // @ts-expect-error the hub has no client methods
  return event.type === "message" ? "" : event.type;
}
