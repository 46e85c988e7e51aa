// What stock JSON-RPC libraries need of a hub to show all they can do, and the hub of the specification's examples
// (https://www.jsonrpc.org/specification, section 7).

import * as z from "zod";
import {
  authorize,
  hub,
  HubError,
  method,
  role,
  signedIn,
  stream,
  type HubContext,
} from "../../src/hub.ts";

interface StockClient {
  said(text: string): void;
  stopped(): void;
  confirm(question: string): Promise<boolean>;
}

const Text = z.string();

const StockHub = hub<StockClient>("stock", {
  rooms: { group: { enter: signedIn } },
  answers: { confirm: z.boolean() },
}).methods({
  echo: method([z.unknown()], (_context, value) => value),

  add: method([z.int(), z.int()], (_context, a, b) => a + b),

  fail: method([Text], (_context, message) => {
    throw new HubError("teapot", message);
  }),

  crash: method([], () => {
    throw new TypeError("a secret of the server");
  }),

  secret: authorize(role("Admin")).method([], () => "only for admins"),

  ask: method([Text], ({ clients }, question) => clients.caller.confirm(question)),

  say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),

  sayMe: method([Text], ({ clients }, text) => clients.caller.said(text)),

  /** Until it is cancelled; tells that it has begun and that it has ended. */
  wait: method([], async ({ clients, signal }) => {
    const stopped = new Promise((stop) => signal.addEventListener("abort", stop));
    await clients.caller.said("waiting");
    await stopped;
    await clients.caller.stopped();
  }),

  count: stream([z.int()], async function* (_context, to) {
    for (let n = 1; n <= to; n++) yield n;
  }),
});

interface SpecClient {
  /** What a notification would hide: to the group that bears its sender's name. */
  heard(method: string, numbers: number[]): void;
}

const N = z.number();
/** Params by name are one argument: an object. */
const Named = z.object({ minuend: N, subtrahend: N });

const told =
  (name: string) =>
  ({ clients, user }: HubContext<SpecClient>, ...numbers: number[]) =>
    clients.group(user.id).heard(name, numbers);

const SpecHub = hub<SpecClient>("spec", { rooms: { group: { enter: signedIn } } }).methods({
  subtract: method([z.union([N, Named]), N.optional()], (_context, first, second = 0) =>
    typeof first === "number" ? first - second : first.minuend - first.subtrahend,
  ),

  sum: method([N, N, N], (_context, ...numbers) => numbers.reduce((a, b) => a + b)),

  get_data: method([], () => ["hello", 5]),

  update: method([N, N, N, N, N], told("update")),

  notify_hello: method([N], told("notify_hello")),

  notify_sum: method([N, N, N], told("notify_sum")),
});

export const rpcHubs = [StockHub, SpecHub];
