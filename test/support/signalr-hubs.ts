// What SignalR's own clients need of a hub to show all they can do: one hub as it comes, and one that allows stateful
// reconnect.

import { z } from "zod";
import {
  hub,
  HubError,
  method,
  signedIn,
  stream,
  streamOf,
  type HubOptions,
} from "../../src/hub.ts";

interface SignalrClient {
  said(text: string): void;
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

    ask: method([Text], ({ clients }, question) => clients.caller.confirm(question)),

    counter: stream([z.int(), z.number()], async function* ({ signal }, to, delayMs) {
      for (let n = 1; n <= to && !signal.aborted; n++) {
        yield n;
        await scheduler.wait(delayMs);
      }
    }),

    sum: method([streamOf(z.number())], async (_context, numbers) => {
      let sum = 0;
      for await (const n of numbers) sum += n;
      return sum;
    }),

    join: method([Text], ({ group }, name) => group(name).join()),

    leave: method([Text], ({ group }, name) => group(name).leave()),

    say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),

    sayOthers: method([Text, Text], ({ clients }, name, text) => clients.othersIn(name).said(text)),

    toUser: method([Text, Text], ({ clients }, id, text) => clients.user(id).said(text)),

    whoami: method([], ({ user, connectionId }) => ({ userId: user.id, connectionId })),

    abort: method([], ({ abort }) => abort()),
  });

export const signalrHubs = [
  signalrHub("signalr"),
  signalrHub("signalr-stateful", { signalR: { statefulReconnect: true } }),
];
