// `npm run bench -- growth`: the CPU of one operation as what surrounds it grows. Most operations should cost the
// same; a message to all members of a room may cost as much more as there are members.

import { parseArgs } from "node:util";
import { buildWorkers } from "./build.ts";
import type { Before, Figures, Load } from "./measurement.ts";
import { cleanUpAtExit, temporaryFolder, useStorage } from "./processes.ts";
import { measure, type Task } from "./servers.ts";

interface Growing {
  readonly name: string;
  readonly title: string;
  readonly sizes: readonly number[];
  /** Sizes that take minutes. */
  readonly large?: readonly number[];
  readonly grows: "flat" | "linear";
  task(size: number): Omit<Task, "seconds">;
}

const CALLS = { kind: "echo", rooms: 1, members: 20 } as const;
const CONNECTS = { kind: "connect", rooms: 20, members: 5 } as const;
const SOCKETS = [100, 1_000, 5_000];

const beside = (server: string, before: Before, load: Omit<Load, "before">) => ({
  ...{ server, ...load, before },
});

const GROWING: readonly Growing[] = [
  {
    name: "room-call",
    title: "call in a room, by sockets in it",
    ...{ sizes: SOCKETS, large: [20_000], grows: "flat" },
    task: (members) =>
      beside("logged", { server: "logged", rooms: 1, members, prefix: "room" }, CALLS),
  },
  {
    name: "room-fan-out",
    title: "delivery in a room, by sockets in it",
    ...{ sizes: SOCKETS, large: [20_000], grows: "flat" },
    task: (members) => ({ server: "logged", kind: "publish", rooms: 1, members, window: 64 }),
  },
  {
    name: "room-connect",
    title: "connect to a room, by sockets in it",
    ...{ sizes: SOCKETS, large: [20_000], grows: "linear" },
    task: (members) =>
      beside(
        "logged",
        { server: "logged", rooms: 1, members, prefix: "room" },
        { kind: "connect", rooms: 1, members: 100 },
      ),
  },
  {
    name: "relay-call",
    title: "call at a relay, by sockets of the hub",
    ...{ sizes: SOCKETS, large: [20_000], grows: "flat" },
    task: (members) =>
      beside(
        "signalr",
        { server: "signalr", rooms: 100, members: members / 100, prefix: "other" },
        CALLS,
      ),
  },
  {
    name: "relay-post",
    title: "POST rpc, by sockets of the hub",
    ...{ sizes: SOCKETS, large: [20_000], grows: "flat" },
    task: (members) =>
      beside(
        "rpc-post",
        { server: "signalr", rooms: 100, members: members / 100, prefix: "other" },
        CALLS,
      ),
  },
  {
    name: "relay-connect",
    title: "connect to a relay, by sockets of the hub",
    ...{ sizes: SOCKETS, large: [20_000], grows: "flat" },
    task: (members) =>
      beside(
        "signalr",
        { server: "signalr", rooms: 100, members: members / 100, prefix: "other" },
        CONNECTS,
      ),
  },
  {
    name: "rooms",
    title: "connect to a new room, by rooms of the hub",
    ...{ sizes: [100, 1_000], large: [10_000], grows: "flat" },
    task: (rooms) =>
      beside("logged", { server: "logged", rooms, members: 1, prefix: "other" }, CONNECTS),
  },
  {
    name: "history",
    title: "publish in a room of 2, by entries of its history",
    ...{ sizes: [100, 1_000, 10_000], large: [100_000], grows: "flat" },
    task: (published) =>
      beside(
        "deep",
        { server: "deep", rooms: 1, members: 1, prefix: "room", published },
        { kind: "publish", rooms: 1, members: 2, window: 1 },
      ),
  },
  {
    name: "places",
    title: "connect to another room, by rooms that the user is in",
    // An account has 1,000 rooms at most, and those of the load are among them.
    ...{ sizes: [1, 100, 900], grows: "flat" },
    task: (rooms) =>
      beside(
        "one-user",
        { server: "one-user", rooms, members: 1, prefix: "other" },
        {
          ...CONNECTS,
          rooms: 50,
          members: 1,
        },
      ),
  },
];

const HELP = `npm run bench -- growth [options]

Prints the CPU of one operation, in microseconds, at each size, and by what factor it grows. Flagged are those that
should cost the same and cost more than half as much again, and those that grow faster than what surrounds them.

  --only a,b       ${GROWING.map(({ name }) => name).join(", ")}
  --large          20,000 sockets, 10,000 rooms and 100,000 entries as well
  --seconds N      duration of a load (3)
  --storage PATH   folder for what servers store (/dev/shm)
  --help
`;

/** Measurements of one size differ by about a tenth. */
const TOLERANCE = 1.5;

const micros = (value: number): string =>
  Math.round(value * 10) >= 1_000 ? String(Math.round(value)) : value.toFixed(1);

function verdictOf({ grows }: Growing, sizes: readonly number[], found: readonly number[]): string {
  const factor = found.at(-1)! / found[0]!;
  const allowed = grows === "flat" ? TOLERANCE : (TOLERANCE * sizes.at(-1)!) / sizes[0]!;
  return `${factor.toFixed(2)} × ${factor > allowed ? "**grows**" : ""}`.trim();
}

interface Run {
  readonly bundles: string;
  readonly seconds: number;
  readonly isLarge: boolean;
}

async function lineOf(growing: Growing, { bundles, seconds, isLarge }: Run): Promise<string> {
  const sizes = [...growing.sizes, ...(isLarge ? (growing.large ?? []) : [])];
  const found: number[] = [];
  for (const size of sizes) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    const { cpuMicros = Number.NaN } = await measured({ ...growing.task(size), seconds }, bundles);
    console.error(`${growing.name} ${size}: ${micros(cpuMicros)} µs`);
    found.push(cpuMicros);
  }
  const cells = sizes.map((size, at) => `${size.toLocaleString("en")}: ${micros(found[at]!)}`);
  return `| ${growing.title} | ${cells.join(", ")} | ${verdictOf(growing, sizes, found)} |`;
}

/** No figures where the machine cannot hold the load: a socket and a room's file are files of the server. */
const measured = (task: Task, bundles: string): Promise<Partial<Figures>> =>
  measure(task, bundles).catch((error: Error) => {
    console.error(error.message.slice(0, 300));
    return {};
  });

export async function growth(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      large: { type: "boolean", default: false },
      seconds: { type: "string", default: "3" },
      storage: { type: "string", default: "/dev/shm" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  cleanUpAtExit();
  useStorage(values.storage);
  const bundles = await temporaryFolder();
  await buildWorkers(bundles);
  const names = values.only?.split(",");
  const lines: string[] = [];
  for (const growing of GROWING.filter(({ name }) => names?.includes(name) ?? true))
    lines.push(
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await lineOf(growing, { bundles, seconds: Number(values.seconds), isLarge: values.large }),
    );
  console.log(
    ["| operation | µs CPU at each size | grows by |", "| --- | --- | ---: |", ...lines].join("\n"),
  );
  return true;
}
