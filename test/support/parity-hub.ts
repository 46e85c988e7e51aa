// The hub whose scenarios run in the engine and in a world (test/dispatch/testing): a method for each thing that hub
// code does.

import * as z from "zod";
import {
  hub,
  HubError,
  method,
  signedIn,
  stream,
  streamOf,
  type RoomContext,
} from "../../src/hub.ts";

export interface ParityClient {
  said(text: string): void;
  confirm(question: string): Promise<boolean>;
}

const Text = z.string();

/** Hooks tell the group `watch`, but for what happens in it. */
const watched = ({ clients }: Pick<RoomContext<ParityClient>, "clients">, text: string) =>
  clients.group("watch").said(text);

export const ParityHub = hub<ParityClient>("parity", {
  authorize: ({ user }) => !user?.roles.includes("Stranger"),
  rooms: {
    group: {
      enter: ({ user, room }) =>
        user !== null && (room!.name !== "staff" || user.roles.includes("Staff")),
      history: ({ room }) => room!.name !== "private",
    },
    order: { enter: signedIn, groups: ["order-"] },
  },
  answers: { confirm: z.boolean() },
  liveness: { graceSeconds: 0.05 },
  limits: { answerSeconds: 1, groupsPerConnection: 3, publishBytes: 2_000 },
  async connected({ abort, clients, room, user }) {
    if (user.roles.includes("Failing")) throw new HubError("forbidden", "Not today.");
    if (user.roles.includes("Aborted")) return abort();
    await clients.caller.said(`welcome ${user.id} to ${room.name || "all"}`);
  },
  disconnected: (context, error) =>
    watched(context, `gone ${context.user.id} ${error?.name ?? ""}`),
  joined: async (context) => {
    if (context.room.name === "lobby") await watched(context, `joined ${context.user.id}`);
  },
  left: async (context) => {
    if (context.room.name === "lobby") await watched(context, `left ${context.user.id}`);
  },
}).methods({
  join: method([Text], ({ group }, name) => group(name).join()),
  leave: method([Text], ({ group }, name) => group(name).leave()),
  add: method([Text, Text], ({ group }, name, id) => group(name).add(id)),
  say: method([Text, Text], async ({ clients }, name, text) => {
    await clients.group(name).said(text);
    return "done";
  }),
  sayTwice: method([Text, Text], async ({ clients }, name, text) => {
    await clients.group(name).said(`${text} 1`);
    await clients.caller.said(`${text} 2`);
    await clients.group(name).said(`${text} 3`);
    return "done";
  }),
  sayOthers: method([Text, Text], ({ clients }, name, text) => clients.othersIn(name).said(text)),
  sayExcept: method([Text, Text, Text], ({ clients }, id, name, text) =>
    clients.except(id).group(name).said(text),
  ),
  sayOrder: method([Text, Text], ({ clients }, id, text) => clients.order(id).said(text)),
  sayUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),
  sayAll: method([Text], ({ clients }, text) => clients.all.said(text)),
  sayAllOthers: method([Text], ({ clients }, text) => clients.others.said(text)),
  tell: method([Text, Text], ({ clients }, id, text) => clients.connection(id).said(text)),
  sayLong: method([Text, z.int()], ({ clients }, name, length) =>
    clients.group(name).said("x".repeat(length)),
  ),
  ask: method([Text], ({ clients }, question) => clients.caller.confirm(question)),
  askOther: method([Text, Text], ({ clients }, id, question) =>
    clients.connection(id).confirm(question),
  ),
  fail: method([Text], (_context, code) => {
    throw code === "bug" ? new Error("secret") : new HubError(code, "As asked.");
  }),
  dated: method([], () => ({ at: new Date(0), list: [1, undefined] })),
  count: stream([z.int(), Text], async function* (_context, to, end) {
    for (let n = 1; n <= to; n++) yield n;
    if (end !== "") throw new HubError(end, "As asked.");
  }),
  forever: stream([], async function* () {
    for (let n = 1; ; n++) yield n;
  }),
  sum: method([streamOf(z.number())], async (_context, numbers) => {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }),
  keep: method([Text, z.unknown()], ({ items }, key, value) => items.set(key, value)),
  kept: method([Text], ({ items }, key) => items.get(key)),
  history: method([Text], async ({ group }, name) =>
    (await group(name).history.last(10)).map(({ target, args }) => [target, ...args]),
  ),
  present: method([Text], async ({ group }, name) =>
    (await group(name).presence.list()).map(({ userId, connections, state }) => [
      userId,
      connections,
      state,
    ]),
  ),
  track: method([Text, z.unknown()], ({ group }, name, state) => group(name).presence.track(state)),
  later: method([Text, Text], ({ clients, waitUntil }, name, text) =>
    waitUntil(clients.group(name).said(text)),
  ),
  end: method([], ({ abort }) => abort()),
});
