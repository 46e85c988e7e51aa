// Code of an application with the client that must compile, and code that must not. Compiled by `npm run types`; never
// run.

import * as z from "zod";
import { connect, type Connection, type State } from "../../src/client/index.ts";
import { hub, method, stream, streamOf } from "../../src/dispatch/define/hub-definition.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import type { PriceHub } from "../../src/hubs/prices.ts";
import { expect, type Equal } from "./equal.ts";

interface Asked {
  said(user: string, at: Date): void;
  confirm(question: string): Promise<boolean>;
}
export const AskingHub = hub<Asked>("asking", { answers: { confirm: z.boolean() } }).methods({
  add: method([z.number(), z.number().default(1)], (_context, a, b) => a + b),
  dated: method([], () => ({ at: new Date() })),
  sum: method([streamOf(z.number())], () => 0),
  count: stream([z.number()], async function* (_context, to) {
    yield to;
  }),
});
export type AskingHub = typeof AskingHub;

const where = { room: "group:lobby", token: "t" } as const;
const asking = connect<AskingHub>("/hubs/asking", where);
expect<Equal<typeof asking, Connection<AskingHub>>>();

// Calls as the hub declares them, with results as they are after the wire.
expect<Equal<typeof asking.invoke.add, (a: number, b?: number | undefined) => Promise<number>>>();
expect<Equal<Awaited<ReturnType<typeof asking.invoke.dated>>, { at: string }>>();
expect<Equal<ReturnType<typeof asking.send.add>, void>>();
expect<Equal<ReturnType<typeof asking.stream.count>, AsyncIterable<number>>>();
void asking.invoke.sum(new ReadableStream<number>());
void asking.with({ idempotencyKey: "k", timeoutSeconds: 1 }).invoke.add(1);
// @ts-expect-error the hub has no such method
void asking.invoke.missing;
// @ts-expect-error a string is no number
void asking.invoke.add("1");
// @ts-expect-error an argument is missing
void asking.invoke.add();
// @ts-expect-error a stream is read, not invoked
void asking.invoke.count;
// @ts-expect-error a method is no stream
void asking.stream.add;
// @ts-expect-error an upload is no array
void asking.invoke.sum([1]);
// @ts-expect-error its items are numbers
void asking.invoke.sum(new ReadableStream<string>());
// @ts-expect-error there is no such option
void asking.with({ retries: 3 });

// Handlers, with arguments as they are after the wire, and with a result where the hub awaits one.
connect<AskingHub>("/hubs/asking", {
  ...where,
  handlers: {
    said(user, at) {
      expect<Equal<[typeof user, typeof at], [string, string]>>();
      return user.length;
    },
    confirm: async (question) => question === "?",
  },
});
connect<AskingHub>("/hubs/asking", { ...where, handlers: { confirm: () => true } });
// @ts-expect-error the answer is a boolean
connect<AskingHub>("/hubs/asking", { ...where, handlers: { confirm: () => "yes" } });
// @ts-expect-error the hub has no such client method
connect<AskingHub>("/hubs/asking", { ...where, handlers: { shouted: () => {} } });
// @ts-expect-error a user is a string
connect<AskingHub>("/hubs/asking", { ...where, handlers: { said: (user: number) => user } });
// @ts-expect-error a hub without client methods takes no handlers
connect<PriceHub>("/hubs/prices", where).on("said", () => {});
asking.on("said", (user) => user.length) satisfies () => void;
// @ts-expect-error the hub has no such client method
asking.on("shouted", () => {});

// Rooms are named by kind. A token is a value or a promise.
connect<ChatHub>("/hubs/chat", { room: "order:42", token: async () => "t" });
// A guest has none.
connect<ChatHub>("/hubs/chat", { room: "group:lobby" });
// @ts-expect-error there is no such kind
connect<ChatHub>("/hubs/chat", { room: "lobby", token: "t" });

// What an application may not have counts as absent.
declare const perhaps: { token?: string; since?: string; said?: () => void; signal?: AbortSignal };
const { token: perhapsToken, since, said, signal } = perhaps;
connect<ChatHub>("/hubs/chat", { room: "group:lobby", token: perhapsToken, since });
connect<AskingHub>("/hubs/asking", { ...where, handlers: { said }, queue: undefined });
connect<AskingHub>("/hubs/asking", { token: perhapsToken, handlers: undefined });
asking.with({ signal, idempotencyKey: since, timeoutSeconds: undefined });
void asking.history({ since, limit: undefined });

// Options that are no literal choose by their room, too.
declare const atRoom: { room: `group:${string}`; token: string };
connect<ChatHub>("/hubs/chat", atRoom) satisfies Connection<ChatHub>;
declare const anyText: { room: string; token: string };
// @ts-expect-error any text is no room
connect<ChatHub>("/hubs/chat", anyText);

// Without a room the connection is to the whole hub, which has rooms to join and none of its own.
const whole = connect<ChatHub>("/hubs/chat", { token: "t" });
whole.join("group:lobby", "epoch:7") satisfies Promise<{ readonly recovered: boolean }>;
whole.invoke.sendToRoom("lobby", "hi") satisfies Promise<unknown>;
whole.history("group:lobby", { limit: 3 });
// @ts-expect-error a room name is required
whole.history({ limit: 3 });
// @ts-expect-error a hub has no position
whole.position satisfies unknown;
// @ts-expect-error there is no such kind
whole.join("lobby");
// @ts-expect-error positions are given when a room is joined
connect<ChatHub>("/hubs/chat", { token: "t", since: "epoch:7" });

/** Each state has its own members. */
export function describe(state: State): string {
  // @ts-expect-error only a connection has an id
  void state.connectionId;
  switch (state.status) {
    case "connected":
      return state.connectionId;
    case "reconnecting":
      return `${state.error.code} ${state.retryAt}`;
    case "connecting":
    case "closed":
      return state.error?.message ?? "";
    default:
      return state satisfies never;
  }
}

/** A connection is disposable. */
export async function scoped(): Promise<void> {
  await using chat = connect<ChatHub>("/hubs/chat", where);
  expect<Equal<Parameters<typeof chat.invoke.sendToRoom>, [room: string, message: string]>>();
  const { messages, position } = await chat.history({ limit: 10, since: position0 });
  messages[0]?.at satisfies number | undefined;
  position satisfies string;
  for (const { userId, state } of chat.presence.members.values()) void [userId, state];
  // @ts-expect-error a snapshot is not changed
  chat.presence.members.clear();
}
const position0 = "e:0";

// A hub that declares the states of its presence: clients track and read that type, after the wire.
export const TypingHub = hub<Asked>("typing", { answers: { confirm: z.boolean() } })
  .presenceState(z.object({ typing: z.boolean(), since: z.date() }))
  .methods({});
export type TypingHub = typeof TypingHub;
const typing = connect<TypingHub>("/hubs/typing", where);
const { state: shown } = typing.presence.members.get("bob")!;
expect<Equal<typeof shown, { typing: boolean; since: string } | null>>();
void typing.track({ typing: true, since: "2026-01-01" });
// @ts-expect-error the state has another type
void typing.track({ typing: "yes" });
void asking.track({ any: ["value"] });

// Messages and histories have the methods of the hub's client, with arguments as they are after the wire. A history has
// no presence, so that of a hub with one method every message has its arguments.
const { messages } = await typing.history();
expect<Equal<(typeof messages)[number]["method"], "said" | "confirm">>();
for (const saved of messages) {
  expect<Equal<typeof saved.at, number>>();
  if (saved.method === "said")
    expect<Equal<typeof saved.params, readonly [user: string, at: string]>>();
  // @ts-expect-error the client has no such method
  if (saved.method === "shouted") break;
}
typing.onMessage((message) => {
  if (message.method === "confirm") expect<Equal<(typeof message.params)[0], string>>();
});
