// Hubs whose rooms and relays are small, and hubs that remember: for tests of where connections live.

import * as z from "zod";
import { hub, method, signedIn, type Filter, type HubOptions } from "../../src/hub.ts";

interface RelayClient {
  said(text: string): void;
  confirm(question: string): Promise<boolean>;
}

const Text = z.string();

const relayHub = (hubName: string, options: HubOptions<RelayClient> = {}) =>
  hub<RelayClient>(hubName, {
    authorize: signedIn,
    rooms: { group: { enter: signedIn } },
    answers: { confirm: z.boolean() },
    ...options,
  }).methods({
    askOther: method([Text, Text], ({ clients }, id, question) =>
      clients.connection(id).confirm(question),
    ),
    join: method([Text], ({ group }, name) => group(name).join()),
    leave: method([Text], ({ group }, name) => group(name).leave()),
    add: method([Text, Text], ({ group }, id, name) => group(name).add(id)),
    remove: method([Text, Text], ({ group }, id, name) => group(name).remove(id)),
    say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),
    sayAll: method([Text], ({ clients }, text) => clients.all.said(text)),
    sayUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),
    sayTo: method([z.array(Text), Text], ({ clients }, ids, text) =>
      clients.connections(...ids).said(text),
    ),
    sayOthers: method([Text], ({ clients }, text) => clients.others.said(text)),
    keep: method([Text, z.unknown()], ({ items }, key, value) => items.set(key, value)),
    kept: method([Text], ({ items }, key) => items.get(key) ?? null),
    asked: method([], ({ request }) => request ?? null),
    members: method([Text], ({ group }, name) => group(name).presence.count()),
    /** Waits for what never comes. */
    forever: method(
      [],
      ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", reject)),
    ),
    whoami: method([], ({ user, connectionId }) => ({ userId: user.id, connectionId })),
  });

/** What filters and hooks saw, by user. */
const traces: string[] = [];

const traced = (name: string): Filter => ({
  invoke: async ({ method: called, args }, next) => {
    traces.push(`${name} before ${called}(${args.join()})`);
    const result = await next();
    traces.push(`${name} after ${called}`);
    return called === "loud" ? String(result).toUpperCase() : result;
  },
  connected: async ({ user }, next) => {
    traces.push(`${name} connected ${user.id}`);
    await next();
  },
  disconnected: async ({ user }, _error, next) => {
    traces.push(`${name} disconnected ${user.id}`);
    await next();
  },
});

const FilteredHub = hub("filtered", { authorize: signedIn })
  .use(traced("outer"))
  .use(traced("inner"))
  .methods({
    loud: method([Text], (_context, text) => text),
    trace: method([], () => traces.splice(0)),
  });

export const relayHubs = [
  relayHub("relayed"),
  relayHub("shop_chat"),
  relayHub("hurried", { limits: { connectsPerSecond: 1, connectBurst: 5 } }),
  relayHub("five", { limits: { connectionsPerRelay: 5 } }),
  relayHub("generous", {
    limits: { callsPerSecond: 1_000, callBurst: 1_000, queuedCalls: 1_000 },
  }),
  relayHub("pinched", {
    limits: {
      ...{ callsPerSecond: 10, callBurst: 20, groupsPerConnection: 5, joinsAtOnce: 2 },
      ...{ messagesPerSecond: 20, messageBurst: 40, bytesPerSecond: 1_024, bytesBurst: 65_536 },
      ...{ historyBytesPerSecond: 100, historyBurst: 5_000 },
    },
  }),
  relayHub("impatient", { limits: { requestSeconds: 1 } }),
  relayHub("brief", { limits: { connectionsPerRelay: 5, answerSeconds: 2 } }),
  relayHub("full", { limits: { connectionsPerObject: 3, connectionsPerRelay: 4 } }),
  relayHub("remembering", { rememberGroups: 60 }),
  relayHub("remembering-five", { rememberGroups: 60, limits: { connectionsPerRelay: 2 } }),
  relayHub("remembering-resuming", {
    rememberGroups: 60,
    signalR: { statefulReconnect: true },
  }),
  relayHub("resuming", { signalR: { statefulReconnect: true }, limits: { parallelCalls: 2 } }),
  relayHub("resuming-five", {
    signalR: { statefulReconnect: true },
    limits: { connectionsPerRelay: 5 },
  }),
  relayHub("verbatim", { signalR: { verbatim: true, handshakeSeconds: 1 } }),
  relayHub("baked", { cookies: true }),
  FilteredHub,
];
