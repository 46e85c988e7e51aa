// Hubs that only tests need: one that asks, one whose calls wait, one of streams, one for each setting of rooms.

import * as z from "zod";
import {
  hub,
  method,
  stream,
  streamOf,
  type HubMember,
  type HubOptions,
} from "../../src/dispatch/define/hub-definition.ts";
import { signedIn } from "../../src/dispatch/define/policies.ts";
import { HubError } from "../../src/model/errors.ts";
import type { Limits } from "../../src/model/options.ts";
import { ALL, formatTopic, type Topic } from "../../src/model/topic.ts";

const open = {
  authorize: signedIn,
  rooms: { group: { enter: signedIn }, order: { enter: signedIn } },
} as const;

const Text = z.string();

interface AskClient {
  confirm(question: string): Promise<boolean>;
  told(text: string): void;
}

const askHub = (name: string, limits: Partial<Limits>) =>
  hub<AskClient>(name, {
    ...open,
    answers: { confirm: z.boolean() },
    limits: { answerSeconds: 1, ...limits },
  })
    .presenceState(
      z.object({
        ...{ typing: z.boolean(), since: z.date().optional() },
        sample: z.instanceof(Uint8Array).optional(),
      }),
    )
    .methods({
      askMe: method([Text], ({ clients }, question) => clients.caller.confirm(question)),
      askOther: method([Text, Text], ({ clients }, id, question) =>
        clients.connection(id).confirm(question),
      ),
      tellOther: method([Text, Text], ({ clients }, id, text) => clients.connection(id).told(text)),
      /** Does not wait for what it says. */
      tellAnyhow: method([Text], ({ clients }, id) => void clients.connection(id).told("x")),
      echo: method([z.unknown()], (_context, value) => value),
    });
const AskHub = askHub("ask", {});

/** Calls wait at a gate until another connection of the same room opens it; what happened is in `trace`. */
const gates = new Map<string, PromiseWithResolvers<void>>();
const traces = new Map<string, string[]>();

function traceOf({ room }: { room: Topic }): string[] {
  const known = traces.get(formatTopic(room)) ?? [];
  traces.set(formatTopic(room), known);
  return known;
}

function gate({ room }: { room: Topic }, name: string): PromiseWithResolvers<void> {
  const key = `${formatTopic(room)} ${name}`;
  const known = gates.get(key) ?? Promise.withResolvers<void>();
  gates.set(key, known);
  return known;
}

const failing = (code: string, text = "As asked.") =>
  code === "secret" ? new Error("secret of the server") : new HubError<string>(code, text);

const controls = {
  release: method([Text], (context, name) => gate(context, name).resolve()),
  trace: method([], (context) => traceOf(context).splice(0)),
  keep: method([Text, z.unknown()], ({ items }, key, value) => items.set(key, value)),
};

const waiting = {
  hold: method([Text], async (context, name) => {
    traceOf(context).push(`begin ${name}`);
    await gate(context, name).promise;
    traceOf(context).push(`end ${name}`);
    return name;
  }),
  note: method([Text], (context, text) => void traceOf(context).push(text)),
  fail: method([Text, Text.optional()], (_context, code, text) => {
    throw failing(code, text);
  }),
  unencodable: method([], () => 2n ** 64n),
  untilAborted: method([], async (context) => {
    const { signal } = context;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    traceOf(context).push("aborted");
  }),
};

async function* mixed() {
  yield* [1, 2n ** 64n, 3];
}

const streaming = {
  count: stream([z.number()], async function* (_context, to) {
    for (let n = 1; n <= to; n++) yield n;
  }),
  /** Never waits, never ends. */
  busy: stream([], async function* (context) {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      traceOf(context).push("busy ended");
    }
  }),
  /** Yields once; then nothing moves it, not even `return`. */
  stuck: stream([], async function* (context) {
    context.signal.addEventListener("abort", () => void traceOf(context).push("stuck aborted"));
    yield 1;
    await new Promise(() => {});
  }),
  breaks: stream([Text], async function* (_context, code) {
    yield 1;
    throw failing(code);
  }),
  mixed: stream([], mixed),
  /** No stream, and gives items all the same. */
  given: method([], (): unknown => mixed()),
};

const summed = async (numbers: AsyncIterable<number>): Promise<number> => {
  let sum = 0;
  for await (const n of numbers) sum += n;
  return sum;
};

const uploading = {
  sum: method([streamOf(z.number())], (_context, numbers) => summed(numbers)),
  sumBoth: method([streamOf(z.number()), streamOf(z.number())], async (_context, a, b) => [
    await summed(a),
    await summed(b),
  ]),
  /** Reads nothing before the gate opens. */
  sumLate: method([Text, streamOf(z.number())], async (context, name, numbers) => {
    await gate(context, name).promise;
    return summed(numbers);
  }),
  first: method([streamOf(z.number())], async (_context, numbers) => {
    for await (const n of numbers) return n;
    return null;
  }),
  doubled: stream([streamOf(z.number())], async function* (_context, numbers) {
    for await (const n of numbers) yield 2 * n;
  }),
};

const slow = (hubName: string, limits: Partial<Limits>) =>
  hub<unknown>(hubName, { ...open, limits }).methods({ ...controls, ...waiting });
const streams = (hubName: string, limits: Partial<Limits>) =>
  hub<unknown>(hubName, { ...open, limits }).methods({
    ...{ ...controls, ...streaming, ...uploading },
    hold: waiting.hold,
    note: waiting.note,
  });

/** What happens at the beginning takes its time: it asks a caller of the room `asked`, and fails in two. */
const GreetingHub = hub<AskClient>("greeting", {
  ...open,
  answers: { confirm: z.boolean() },
  async connected(context) {
    if (context.room.name === "failing") throw failing("secret");
    if (context.room.name === "refusing") throw failing("not_you");
    if (context.room.name === "refused elsewhere")
      throw Object.assign(new Error("As asked."), { name: "HubError", code: "not_you" }); // as RPC has it
    if (context.room.name === "wordy") throw new HubError<string>("not_you", "é😀".repeat(50));
    if (context.room.name === "silent") throw new HubError<string>("not_you", "");
    if (context.room.name === "asked") await context.clients.caller.confirm("ready?");
    else await scheduler.wait(20);
    traceOf(context).push(`connected ${context.user.id}`);
  },
  disconnected: (context, error) =>
    void traceOf(context).push(
      `gone ${context.user.id} ${error?.message} ${context.signal.aborted}`,
    ),
}).methods({
  trace: method([], (context) => traceOf(context).splice(0)),
  note: method([Text], (context, text) => void traceOf(context).push(text)),
});

/** Everything at once. */
const zooHub = (name: string, settings: HubOptions<AskClient>) =>
  hub<AskClient>(name, { ...open, answers: { confirm: z.boolean() }, ...settings }).methods({
    ...AskHub.members,
    ...({ ...controls, ...waiting, ...streaming, ...uploading } as unknown as Record<
      string,
      HubMember<AskClient>
    >),
  });

interface SaidClient {
  said(text: string): void;
}

/** Crowds come at once in its tests: on a machine that is busy with other work, they are not refused as late. */
const saying = (hubName: string, { limits, ...settings }: HubOptions<SaidClient>) =>
  hub<SaidClient>(hubName, {
    ...settings,
    limits: { arrivalWaitSeconds: 60, ...limits },
  }).methods({
    sayGroups: method([z.array(Text), Text], ({ clients }, names, text) =>
      clients.group(...names).said(text),
    ),
    sayOrder: method([Text, Text], ({ clients }, id, text) => clients.order(id).said(text)),
    sayUsers: method([z.array(Text), Text], ({ clients }, ids, text) =>
      clients.user(...ids).said(text),
    ),
    sayAll: method([Text], ({ clients }, text) => clients.all.said(text)),
    sayOthers: method([Text], ({ clients }, text) => clients.others.said(text)),
    sayOthersIn: method([Text, Text], ({ clients }, name, text) =>
      clients.othersIn(name).said(text),
    ),
    sayExcept: method([z.array(Text), Text, Text], ({ clients }, ids, name, text) =>
      clients
        .except(...ids)
        .group(name)
        .said(text),
    ),
    join: method([Text], ({ group }, name) => group(name).join()),
    leave: method([Text], ({ group }, name) => group(name).leave()),
  });

/** Does what the protocol, a room elsewhere or a closed caller would rather not have done. */
const MeddlingHub = hub<AskClient>("meddling", {
  ...open,
  answers: { confirm: z.boolean() },
}).methods({
  ...(controls as unknown as Record<keyof typeof controls, HubMember<AskClient>>),
  join: method([Text], ({ group }, name) => group(name).join()),
  /** Joins once the gate opens, whatever has become of its caller by then. */
  joinLate: method([Text, Text], async (context, name, group) => {
    traceOf(context).push("waits");
    await gate(context, name).promise;
    const outcome = context.group(group).join();
    traceOf(context).push(
      await outcome.then(
        () => "joined",
        ({ code }: HubError) => code,
      ),
    );
  }),
  tellGroup: method([Text, Text], ({ clients }, name, text) => clients.group(name).told(text)),
  tellAs: method([Text, Text, Text], ({ clients }, id, target, text) =>
    (clients.connection(id) as unknown as Record<string, (text: string) => void>)[target]!(text),
  ),
  tellMuch: method([Text, z.int()], ({ clients }, id, length) =>
    clients.connection(id).told("x".repeat(length)),
  ),
  askMuch: method([Text, z.int()], ({ clients }, id, length) =>
    clients.connection(id).confirm("x".repeat(length)),
  ),
});

/** Who may enter is found out slowly: at a gate of the room, or, where a token says so, one of the hub. */
const DoubtfulHub = hub<unknown>("doubtful", {
  authorize: async ({ user, method: called }) => {
    const name = user?.claims["gate"];
    if (called === undefined && typeof name === "string") await gate({ room: ALL }, name).promise;
    return true;
  },
  limits: { parallelCalls: 4 },
  rooms: {
    group: {
      enter: async ({ user, room }) => {
        await gate({ room: ALL }, room!.name).promise;
        return user?.roles.includes("Member") ?? false;
      },
    },
  },
}).methods({ release: controls.release });

export const testHubs = [
  DoubtfulHub,
  MeddlingHub,
  AskHub,
  askHub("ask-few", { queuedCalls: 20 }),
  zooHub("zoo", {}),
  zooHub("busy-zoo", {
    signalR: { statefulReconnect: true },
    limits: {
      ...{ answerSeconds: 1, callsPerSecond: 10_000, callBurst: 100_000 },
      ...{ messagesPerSecond: 100_000, messageBurst: 1_000_000 },
    },
  }),
  GreetingHub,
  slow("slow", { queuedCalls: 5 }),
  slow("parallel", { parallelCalls: 2 }),
  streams("streams", {}),
  streams("few-queued", { queuedBytes: 40_000 }),
  streams("narrow", { streamBuffer: 3, streamsPerConnection: 2, requestSeconds: 37 }),
  streams("tight", {
    ...{ callsPerSecond: 1_000, callBurst: 1_000 },
    ...{ heldByConnection: 20_000, heldByUser: 30_000, heldByObject: 100_000 },
  }),
  saying("plain", open),
  saying("counts", { ...open, presence: "counts" }),
  saying("unlogged", { ...open, history: false }),
  saying("behind", { ...open, durability: "behind" }),
  saying("unreached", { ...open, reach: { all: false } }),
  saying("reached", { ...open, reach: { users: true } }),
  saying("small", { ...open, limits: { groupsPerConnection: 3, queuedBytes: 1_000 } }),
  saying("closed", {}),
  saying("closed-parallel", { limits: { parallelCalls: 4 } }),
  saying("unread", { ...open, rooms: { group: { enter: signedIn, history: () => false } } }),
];
