// The load generator: runs the job given as JSON in its only argument, and prints the figures as JSON.

import { setTimeout as sleep } from "node:timers/promises";
import { carriedRate } from "./carried.ts";
import { Clock } from "./clock.ts";
import { EchoLoad } from "./echo-load.ts";
import type { Figures } from "./measurement.ts";
import { PushLoad, SERVICE } from "./push-load.ts";
import type { RoomLoad } from "./room-load.ts";
import {
  backlogOf,
  dialect,
  drain,
  job,
  measure,
  openFor,
  openRooms,
  placesOf,
  prepare,
  QUIET_MS,
  TIMEOUT_MS,
  until,
  untilQuiet,
} from "./session.ts";
import { readUsage, residentBytes, usageBetween, type Usage } from "./usage.ts";

const cpuOf = ({ server, client, foreign }: Usage) => ({
  serverCpu: server,
  clientCpu: client,
  foreignCpu: foreign,
});

const WARM_MS = dialect.warmMs ?? 700;
/** Backlog at which a measurement ends: no server recovers from it, and the machine's memory is the next to fail. */
const OVERLOAD = 2_000;

async function publish(): Promise<Figures> {
  const rooms = await openRooms();
  const [room] = rooms;
  const clock = new Clock(job.rate ?? 1, (dueAt) => room!.publish(1, dueAt));
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
  await untilQuiet(wires);
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
  await untilQuiet(listeners);
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
  if (!(await until(() => load.undelivered === 0 && load.underWay === 0, 5_000)))
    measure.faults.gaps += load.undelivered + load.underWay;
  // What comes now would be a duplicate.
  await sleep(50);
  return {
    ...cpuOf(usage),
    calls: load.answered / usage.seconds,
    delivered: measure.delivered / usage.seconds,
    p50Ms: measure.latencies.quantile(0.5),
    p99Ms: measure.latencies.quantile(0.99),
    heardP50Ms: load.deliveryLatencies.quantile(0.5),
    heardP99Ms: load.deliveryLatencies.quantile(0.99),
    cpuMicros: (usage.server * usage.seconds * 1e6) / measure.delivered,
    ...measure.faults,
  };
}

/** Connections in other rooms first, so that a just-in-time compiler has seen enough of them. */
const warmUp = () => openFor(placesOf({ ...job, rooms: 40, members: 10 }, "warm"));

async function connect(): Promise<Figures> {
  await untilQuiet(await warmUp());
  const places = placesOf(job);
  const from = readUsage(job.serverPids);
  await openFor(places);
  const usage = usageBetween(from, readUsage(job.serverPids));
  return {
    ...cpuOf(usage),
    connects: places.length / usage.seconds,
    cpuMicros: (usage.server * usage.seconds * 1e6) / places.length,
    ...measure.faults,
  };
}

/** Each socket has received a message first: write buffers are part of the cost of a socket. */
async function idle(): Promise<Figures> {
  await openFor(placesOf({ ...job, rooms: 1, members: 1 }, "warm"));
  const before = residentBytes(job.serverPids);
  const from = readUsage(job.serverPids);
  const [room] = await openRooms();
  room!.publish(1);
  await drain([room!], 0);
  await sleep(QUIET_MS);
  const usage = usageBetween(from, readUsage(job.serverPids));
  const bytesPerSocket = (residentBytes(job.serverPids) - before) / job.members;
  return { ...cpuOf(usage), bytesPerSocket, ...measure.faults };
}

/** Long enough for an object to hibernate, which takes 10 s. */
const ASLEEP_MS = 13_000;

async function wake(): Promise<Figures> {
  const [room] = await openRooms();
  const from = readUsage(job.serverPids);
  const publishOne = async () => {
    room!.publish(1);
    const publishedAt = performance.now();
    await until(() => room!.backlog === 0, TIMEOUT_MS);
    return measure.receivedAt - publishedAt;
  };
  for (let warm = 0; warm < 10; warm++) {
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await publishOne();
  }
  const awakeMs = await publishOne();
  await sleep(ASLEEP_MS);
  const wokenMs = await publishOne();
  const usage = usageBetween(from, readUsage(job.serverPids));
  return { ...cpuOf(usage), awakeMs, wokenMs, ...measure.faults };
}

/** The highest rate with a short backlog, then a measurement at it. */
async function carried(): Promise<Figures> {
  const rooms = await openRooms();
  const found = await carriedRate(rooms[0]!);
  const usage = found.usage;
  for (const each of rooms) each.stop();
  await drain(rooms, backlogOf(rooms));
  return { ...cpuOf(usage), ...deliveries(rooms, usage), carried: found.rate };
}

await prepare();
const figures = await { publish, carried, push, echo, connect, idle, wake }[job.kind]();
process.stdout.write(JSON.stringify(figures), () => process.exit(0));
