// A hub for tests of order: what a call says and when it is answered, and what still runs when a client leaves.

import * as z from "zod";
import { hub, HubError, method, signedIn, stream, streamOf } from "../../src/hub.ts";

interface OrderClient {
  said(text: string): void;
  confirm(question: string): Promise<boolean>;
}

const Text = z.string();

/** What the hub's code did, by user. */
const traces = new Map<string, string[]>();

const trace = ({ user }: { user: { id: string } }, text: string): void => {
  const lines = traces.get(user.id) ?? [];
  traces.set(user.id, lines);
  lines.push(text);
};

/** Gates that tests open by name: hub code waits at them. */
const gates = new Map<string, PromiseWithResolvers<void>>();

function gate(name: string): PromiseWithResolvers<void> {
  const known = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, known);
  return known;
}

const OrderedHub = hub<OrderClient>("ordered", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
  signalR: { statefulReconnect: true },
  answers: { confirm: z.boolean() },
  async connected(context) {
    trace(context, "connected begins");
    if (context.user.id.startsWith("slow")) await gate(context.user.id).promise;
    if (context.user.id.startsWith("refused")) {
      await context.clients.caller.said("no room");
      throw new HubError("full", "No room.");
    }
    trace(context, "connected ends");
  },
  disconnected(context, error) {
    trace(context, `disconnected: ${error?.message ?? "no error"}`);
  },
}).methods({
  join: method([Text], ({ group }, name) => group(name).join()),
  leave: method([Text], ({ group }, name) => group(name).leave()),
  say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),
  sayAll: method([Text], ({ clients }, text) => clients.all.said(text)),
  sayUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),
  sayOthers: method([Text, Text], ({ clients }, name, text) => clients.othersIn(name).said(text)),
  /** Not awaited: a message is on its way all the same. */
  sayThenJoin: method([Text, Text], async ({ clients, group }, name, text) => {
    void clients.group(name).said(text);
    await group(name).join();
  }),
  sayThenLeave: method([Text, Text], async ({ clients, group }, name, text) => {
    void clients.group(name).said(text);
    await group(name).leave();
  }),
  sayBack: method([Text], ({ clients }, text) => clients.caller.said(text)),
  /** To a group, or to all where none is named; then to the caller. */
  sayThenTell: method([Text, Text.optional()], async ({ clients }, text, name) => {
    await (name === undefined ? clients.all : clients.group(name)).said(text);
    await clients.caller.said(`${text} to you`);
  }),
  sayThenAsk: method([Text, Text], async ({ clients }, name, text) => {
    await clients.group(name).said(text);
    return clients.caller.confirm("Heard?");
  }),
  sayThenFail: method([Text, Text], async ({ clients }, name, text): Promise<void> => {
    await clients.group(name).said(text);
    throw new HubError("teapot", "No coffee.");
  }),
  askThenTell: method([Text], async ({ clients }, text) => {
    const answer = clients.caller.confirm("Heard?");
    await clients.caller.said(text);
    return answer;
  }),
  tellLarge: method([z.number()], ({ clients }, size) => clients.caller.said("x".repeat(size))),
  askFirst: method([], ({ clients }) => clients.caller.confirm("Heard?")),
  tellThenYield: stream([Text], async function* ({ clients }, text) {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await clients.caller.said(text);
    yield 1;
  }),
  sayTellSay: method([Text], async ({ clients }, name) => {
    await clients.group(name).said("1");
    await clients.caller.said("2");
    await clients.group(name).said("3");
  }),
  tellSay: method([Text], async ({ clients }, name) => {
    await clients.caller.said("2");
    await clients.group(name).said("3");
  }),
  sayThenAskTraced: method([Text, Text], async (context, name, text) => {
    const { clients } = context;
    await clients.group(name).said(text);
    trace(context, "asks");
    try {
      await clients.caller.confirm("Heard?");
    } catch (error) {
      trace(context, `ask failed: ${(error as HubError).code}`);
    }
  }),
  sayThenYield: stream([Text, Text], async function* ({ clients }, name, text) {
    await clients.group(name).said(text);
    yield 1;
  }),
  /** The last words of a connection: to the caller, and to a group where one is named. */
  sayThenAbort: method([Text, Text.optional()], async ({ clients, abort }, text, name) => {
    if (name !== undefined) await clients.group(name).said(text);
    await clients.caller.said(`${text} to you`);
    abort();
  }),
  wait: method([Text], async (context, name) => {
    trace(context, `wait ${name} begins`);
    await gate(name).promise;
    trace(context, `wait ${name} ends, ${context.signal.aborted ? "aborted" : "not aborted"}`);
  }),
  sayThenWait: method([Text, Text], async ({ clients }, name, text) => {
    await clients.group(name).said(text);
    await gate(name).promise;
  }),
  open: method([Text], (_context, name) => gate(name).resolve()),
  traceOf: method([Text], (_context, user) => traces.get(user) ?? []),
  count: method([streamOf(z.number())], async (_context, items) => {
    let count = 0;
    for await (const item of items) count += Math.sign(item + 1);
    return count;
  }),
  ticker: stream([], async function* (context) {
    trace(context, "ticker begins");
    yield 1;
  }),
});

export const orderHubs = [OrderedHub];
