// What SignalR's own clients need of a hub to show all they can do: one hub as it comes, one that allows stateful
// reconnect, and one for each setting that clients notice.

import * as z from "zod";
import {
  authorize,
  hub,
  HubError,
  method,
  role,
  signedIn,
  stream,
  streamOf,
  type HubOptions,
} from "../../src/hub.ts";

interface SignalrClient {
  said(text: string): void;
  shown(value: unknown): void;
  confirm(question: string): Promise<boolean>;
}

const Text = z.string();

const signalrHub = (hubName: string, options: HubOptions<SignalrClient> = {}) =>
  hub<SignalrClient>(hubName, {
    authorize: signedIn,
    rooms: { group: { enter: signedIn } },
    reach: { users: true },
    answers: { confirm: z.boolean() },
    ...options,
  }).methods({
    echo: method([z.unknown()], (_context, value) => value),

    fail: method([Text], (_context, message) => {
      throw new HubError("teapot", message);
    }),

    crash: method([], () => {
      throw new TypeError("a secret of the server");
    }),

    large: method([z.int()], (_context, size) => "x".repeat(size)),

    bulk: stream([z.int(), z.int()], async function* (_context, count, size) {
      for (let n = 0; n < count; n++) yield `${n} `.padEnd(size, "x");
    }),

    add: method([z.int(), z.int()], (_context, a, b) => a + b),

    secret: authorize(role("Admin")).method([], () => "only for admins"),

    ask: method([Text], ({ clients }, question) => clients.caller.confirm(question)),

    askOther: method([Text, Text], ({ clients }, id, question) =>
      clients.connection(id).confirm(question),
    ),

    counter: stream([z.int(), z.number()], async function* ({ signal }, to, delayMs) {
      for (let n = 1; n <= to && !signal.aborted; n++) {
        yield n;
        await scheduler.wait(delayMs);
      }
    }),

    /** One item, and an error. */
    breaks: stream([Text], async function* (_context, message) {
      yield 1;
      throw message === ""
        ? new TypeError("a secret of the server")
        : new HubError("teapot", message);
    }),

    /** An error, and no stream. */
    refuses: stream([Text], (_context, message) => {
      throw new HubError("teapot", message);
    }),

    // What only JavaScript can do.
    empty: stream([], () => null as unknown as AsyncIterable<unknown>),

    sum: method([streamOf(z.number())], async (_context, numbers) => {
      let sum = 0;
      for await (const n of numbers) sum += n;
      return sum;
    }),

    join: method([Text], ({ group }, name) => group(name).join()),

    leave: method([Text], ({ group }, name) => group(name).leave()),

    say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),

    show: method([Text, z.unknown()], ({ clients }, name, value) =>
      clients.group(name).shown(value),
    ),

    sayOthers: method([Text, Text], ({ clients }, name, text) => clients.othersIn(name).said(text)),

    toUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),

    whoami: method([], ({ user, connectionId }) => ({ userId: user.id, connectionId })),

    abort: method([], ({ abort }) => abort()),
  });

export const signalrHubs = [
  signalrHub("signalr"),
  // More than the default: a slow machine says a hundred messages before a client that was cut is back.
  signalrHub("signalr-stateful", {
    signalR: { statefulReconnect: true },
    history: { size: 1_000, ttlSeconds: 600 },
  }),
  signalrHub("signalr-detailed", { detailedErrors: true }),
  signalrHub("signalr-hasty", { signalR: { handshakeSeconds: 1 } }),
  signalrHub("signalr-shut", {
    connected() {
      throw new HubError("teapot", "not today");
    },
  }),
];
