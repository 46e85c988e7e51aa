// The job of this process: its server's dialect, its counters and its sockets.

import { setTimeout as sleep } from "node:timers/promises";
import { dialectOf } from "./dialects.ts";
import type { Job } from "./measurement.ts";
import { Measure, RoomLoad } from "./room-load.ts";
import { openAll, type Place, type Wire } from "./wire.ts";

export const job = JSON.parse(process.argv[2] ?? "") as Job;
export const dialect = dialectOf(job.server);
export const measure = new Measure();

type Places = Pick<Job, "port" | "rooms" | "members">;

export const placesOf = ({ port, rooms, members }: Places, prefix = "room"): Place[] =>
  Array.from({ length: rooms * members }, (_, index) => ({
    port,
    room: `${prefix}-${Math.floor(index / members)}`,
    member: index % members,
  }));

export const openFor = (places: readonly Place[], as = dialect): Promise<Wire[]> =>
  openAll(as, places, (error) => {
    measure.faults.bad++;
    console.error(`${job.server}: ${error.message}`);
  });

export const QUIET_MS = dialect.quietMs ?? 300;
export const TIMEOUT_MS = 15_000;

/** Waits until the server has sent its welcomes and presence: no frame for `QUIET_MS`. */
export async function untilQuiet(wires: readonly Wire[]): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  const lastAt = () => wires.reduce((last, { receivedAt }) => Math.max(last, receivedAt), 0);
  await sleep(QUIET_MS);
  await until(() => {
    const now = performance.now();
    return now - lastAt() >= QUIET_MS || now >= deadline;
  });
}

export async function until(done: () => boolean, mostMs = Infinity): Promise<boolean> {
  const end = performance.now() + mostMs;
  while (!done()) {
    if (performance.now() >= end) return false;
    // oxlint-disable-next-line no-await-in-loop -- polls
    await sleep(5);
  }
  return true;
}

export async function openRooms(): Promise<RoomLoad[]> {
  const { members, rooms, window = 0 } = job;
  const wires = await openFor(placesOf(job));
  const publishers = dialect.publisher
    ? await openFor(placesOf({ ...job, members: 1 }), dialect.publisher)
    : [];
  await untilQuiet([...wires, ...publishers]);
  return Array.from(
    { length: rooms },
    (_, room) =>
      new RoomLoad({
        dialect,
        measure,
        window,
        publisher: publishers[room],
        wires: wires.slice(room * members, (room + 1) * members),
      }),
  );
}

export const backlogOf = (rooms: readonly RoomLoad[]): number =>
  rooms.reduce((most, { backlog }) => Math.max(most, backlog), 0);

/** Every published message must arrive; the backlog of an overloaded server is not waited for. */
export async function drain(rooms: readonly RoomLoad[], backlog: number): Promise<void> {
  if (backlog > 100) return;
  if (!(await until(() => backlogOf(rooms) === 0, 5_000))) measure.faults.gaps += backlogOf(rooms);
  // What comes now would be a duplicate.
  await sleep(50);
}

/** What the load finds: idle sockets, and a history. */
export async function prepare(): Promise<void> {
  if (!job.before) return;
  const { server, rooms, members, prefix, published = 0 } = job.before;
  const own = dialectOf(server);
  const wires = await openFor(placesOf({ port: job.port, rooms, members }, prefix), own);
  await untilQuiet(wires);
  if (published === 0) return;
  const load = new RoomLoad({
    ...{ dialect: own, measure: new Measure(), window: 64, publisher: undefined },
    wires: wires.slice(0, 1),
  });
  load.start();
  await until(() => load.records >= published);
  load.stop();
  await drain([load], 0);
  wires[0]!.close();
}
