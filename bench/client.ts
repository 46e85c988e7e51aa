// The client process: does one job, given as JSON in its only argument, and prints what it found as JSON.

import { setTimeout as sleep } from "node:timers/promises";
import type { Figures, Job } from "./cases.ts";
import { Clock } from "./clock.ts";
import { dialectOf } from "./dialects.ts";
import { EchoLoad } from "./echo-load.ts";
import { PushLoad, SERVICE } from "./push-load.ts";
import { Measure, RoomLoad } from "./room-load.ts";
import { readUsage, residentBytes, usageBetween, type Usage } from "./usage.ts";
import { openAll, type Place, type Wire } from "./wire.ts";

const job = JSON.parse(process.argv[2] ?? "") as Job;
const dialect = dialectOf(job.server);
const measure = new Measure();

const placesOf = ({ port, rooms, members }: Job, prefix = "room"): Place[] =>
  Array.from({ length: rooms * members }, (_, index) => ({
    port,
    room: `${prefix}-${Math.floor(index / members)}`,
    member: index % members,
  }));

const openFor = (places: readonly Place[], as = dialect): Promise<Wire[]> =>
  openAll(as, places, (error) => {
    measure.faults.bad++;
    console.error(`${job.server}: ${error.message}`);
  });

const QUIET_MS = dialect.quietMs ?? 300;
const PATIENCE_MS = 15_000;

/** Until nothing has come for a while: welcomes, presence. */
async function quiet(wires: readonly Wire[]): Promise<void> {
  const patientUntil = performance.now() + PATIENCE_MS;
  const lastAt = () => wires.reduce((last, { heardAt }) => Math.max(last, heardAt), 0);
  await sleep(QUIET_MS);
  await until(() => {
    const now = performance.now();
    return now - lastAt() >= QUIET_MS || now >= patientUntil;
  });
}

async function until(done: () => boolean, mostMs = Infinity): Promise<boolean> {
  const end = performance.now() + mostMs;
  while (!done()) {
    if (performance.now() >= end) return false;
    // oxlint-disable-next-line no-await-in-loop -- a loop that looks now and then
    await sleep(5);
  }
  return true;
}

const cpuOf = ({ server, client, foreign }: Usage) => ({
  serverCpu: server,
  clientCpu: client,
  foreignCpu: foreign,
});

async function enter(): Promise<RoomLoad[]> {
  const { members, rooms, window = 0 } = job;
  const wires = await openFor(placesOf(job));
  const speakers = dialect.speaker
    ? await openFor(placesOf({ ...job, members: 1 }), dialect.speaker)
    : [];
  await quiet([...wires, ...speakers]);
  return Array.from(
    { length: rooms },
    (_, room) =>
      new RoomLoad({
        dialect,
        measure,
        window,
        speaker: speakers[room],
        wires: wires.slice(room * members, (room + 1) * members),
      }),
  );
}

const WARM_MS = dialect.warmMs ?? 700;
/** Beyond this nobody catches up, and the machine's memory is the next to go. */
const OVERLOAD = 2_000;

const backlogOf = (rooms: readonly RoomLoad[]): number =>
  rooms.reduce((most, { backlog }) => Math.max(most, backlog), 0);

async function publish(): Promise<Figures> {
  const rooms = await enter();
  const [room] = rooms;
  const clock = new Clock(job.rate ?? 1, (dueAt) => room!.say(1, dueAt));
  if (job.rate === undefined) for (const each of rooms) each.start();
  else clock.start();
  await sleep(WARM_MS);
  const [from, idleFrom] = [readUsage(job.serverPids), clock.idleMs];
  measure.running = true;
  await until(() => backlogOf(rooms) > OVERLOAD, job.seconds * 1_000);
  measure.running = false;
  const usage = usageBetween(from, readUsage(job.serverPids), (clock.idleMs - idleFrom) / 1_000);
  const backlog = backlogOf(rooms);
  clock.stop();
  for (const each of rooms) each.stop();
  await drain(rooms, backlog);
  return { ...cpuOf(usage), ...deliveries(rooms, usage), backlog };
}

/** What was said must arrive, as a whole; who is overloaded is not waited for. */
async function drain(rooms: readonly RoomLoad[], backlog: number): Promise<void> {
  if (backlog > 100) return;
  if (!(await until(() => backlogOf(rooms) === 0, 5_000))) measure.faults.gaps += backlogOf(rooms);
  // What comes now would be a duplicate.
  await sleep(50);
}

function deliveries(rooms: readonly RoomLoad[], usage: Usage) {
  const sum = (of: (room: RoomLoad) => number) =>
    rooms.reduce((total, room) => total + of(room), 0);
  return {
    delivered: measure.delivered / usage.seconds,
    p50Ms: measure.latencies.quantile(0.5),
    p99Ms: measure.latencies.quantile(0.99),
    recordsPerFrame: sum(({ records }) => records) / sum(({ frames }) => frames),
    cpuMicros: (usage.server * usage.seconds * 1e6) / measure.delivered,
    ...measure.faults,
  };
}

async function echo(): Promise<Figures> {
  const wires = await openFor(placesOf(job));
  await quiet(wires);
  const load = new EchoLoad(dialect, measure, wires);
  load.start();
  await sleep(WARM_MS);
  const from = readUsage(job.serverPids);
  measure.running = true;
  await sleep(job.seconds * 1_000);
  measure.running = false;
  const usage = usageBetween(from, readUsage(job.serverPids));
  load.stop();
  if (!(await until(() => load.underWay === 0, 5_000))) measure.faults.gaps += load.underWay;
  return {
    ...cpuOf(usage),
    calls: measure.delivered / usage.seconds,
    p50Ms: measure.latencies.quantile(0.5),
    p99Ms: measure.latencies.quantile(0.99),
    cpuMicros: (usage.server * usage.seconds * 1e6) / measure.delivered,
    ...measure.faults,
  };
}

async function push(): Promise<Figures> {
  const listeners = await openFor(placesOf(job));
  const places = placesOf({ ...job, rooms: job.window!, members: 1 }, "service");
  const services = await openFor(places, SERVICE);
  await quiet(listeners);
  const { batch = 1, port } = job;
  const load = new PushLoad({ dialect, measure, listeners, services, batch, port });
  load.start();
  await sleep(WARM_MS);
  const from = readUsage(job.serverPids);
  measure.running = true;
  await sleep(job.seconds * 1_000);
  measure.running = false;
  const usage = usageBetween(from, readUsage(job.serverPids));
  load.stop();
  if (!(await until(() => load.unheard === 0 && load.underWay === 0, 5_000)))
    measure.faults.gaps += load.unheard + load.underWay;
  // What comes now would be a duplicate.
  await sleep(50);
  return {
    ...cpuOf(usage),
    calls: load.answered / usage.seconds,
    delivered: measure.delivered / usage.seconds,
    p50Ms: measure.latencies.quantile(0.5),
    p99Ms: measure.latencies.quantile(0.99),
    heardP50Ms: load.heard.quantile(0.5),
    heardP99Ms: load.heard.quantile(0.99),
    cpuMicros: (usage.server * usage.seconds * 1e6) / measure.delivered,
    ...measure.faults,
  };
}

async function connect(): Promise<Figures> {
  // One socket in a room of its own, so that the server has seen an upgrade before.
  await openFor(placesOf({ ...job, rooms: 1, members: 1 }, "warm"));
  const places = placesOf(job);
  const from = readUsage(job.serverPids);
  await openFor(places);
  const usage = usageBetween(from, readUsage(job.serverPids));
  return {
    ...cpuOf(usage),
    connects: places.length / usage.seconds,
    connectCpuMs: (usage.server * usage.seconds * 1_000) / places.length,
    ...measure.faults,
  };
}

/** Each socket has heard one message: what a server keeps to write with is part of what a socket costs. */
async function idle(): Promise<Figures> {
  await openFor(placesOf({ ...job, rooms: 1, members: 1 }, "warm"));
  const before = residentBytes(job.serverPids);
  const from = readUsage(job.serverPids);
  const [room] = await enter();
  room!.say(1);
  await drain([room!], 0);
  await sleep(QUIET_MS);
  const usage = usageBetween(from, readUsage(job.serverPids));
  const bytesPerSocket = (residentBytes(job.serverPids) - before) / job.members;
  return { ...cpuOf(usage), bytesPerSocket, ...measure.faults };
}

/** Objects sleep after 10 s. */
const ASLEEP_MS = 13_000;

async function wake(): Promise<Figures> {
  const [room] = await enter();
  const from = readUsage(job.serverPids);
  const say = async () => {
    room!.say(1);
    const saidAt = performance.now();
    await until(() => room!.backlog === 0, PATIENCE_MS);
    return measure.heardAt - saidAt;
  };
  for (let warm = 0; warm < 10; warm++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await say();
  }
  const awakeMs = await say();
  await sleep(ASLEEP_MS);
  const wokenMs = await say();
  const usage = usageBetween(from, readUsage(job.serverPids));
  return { ...cpuOf(usage), awakeMs, wokenMs, ...measure.faults };
}

const figures = await { publish, push, echo, connect, idle, wake }[job.kind]();
process.stdout.write(JSON.stringify(figures), () => process.exit(0));
