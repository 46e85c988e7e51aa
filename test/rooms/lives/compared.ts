// A life compared with its plain model.

import type { Crowd } from "./crowd.ts";
import type { LogEntry } from "./plain-log.ts";
import type { Site } from "./site.ts";

const pathOf = (room: string): string => `/rooms/${encodeURIComponent(room)}`;

async function historyOf(site: Site, room: string): Promise<LogEntry[]> {
  const response = await site.ask("GET", `${pathOf(room)}/history?limit=1000`);
  const { epoch, publications } = await response.json<{
    readonly epoch: string;
    readonly publications: readonly { offset: number; arguments: [string] }[];
  }>();
  return publications.map(({ offset, arguments: [text] }) => ({
    ...{ position: `${epoch}:${offset}`, text },
  }));
}

/** What logs and subscribers have in another way than the model. */
export async function faultsOf({ site, logs, all }: Crowd): Promise<string[]> {
  const faults = [...logs].map(async ([room, log]) => {
    const entries = await historyOf(site, room);
    const followers = [...all].flatMap((one) => one.followers.get(room) ?? []);
    return [...log.faults(entries), ...followers.flatMap((one) => one.faults(log, entries))];
  });
  return (await Promise.all(faults)).flat();
}

export interface Presence {
  /** One for each connection. */
  readonly users: readonly string[];
  readonly connected: readonly string[];
  /** Known connections that are not listed. */
  readonly missing: readonly string[];
}

/** As the model has it. */
export function expectedPresence({ here }: Crowd, room: string): Presence {
  const users = here
    .filter(({ followers }) => followers.has(room))
    .map(({ user }) => user)
    .toSorted();
  return { users, connected: users, missing: [] };
}

/** As the room's presence and its list of connections have it. */
export async function presenceOf({ site, here }: Crowd, room: string): Promise<Presence> {
  const users = await site.ask("GET", `${pathOf(room)}/presence`);
  const { presence } = await users.json<{ presence: { user: string; num_clients: number }[] }>();
  const list = await site.ask("GET", `/groups/${room.slice("group:".length)}/connections`);
  const { value } = await list.json<{ value: { userId: string; connectionId: string }[] }>();
  const listed = new Set(value.map(({ connectionId }) => connectionId));
  const counted = presence.flatMap(({ user, num_clients: count }) =>
    Array.from({ length: count }, () => user),
  );
  return {
    users: counted.toSorted(),
    connected: value.map(({ userId }) => userId).toSorted(),
    missing: here
      .filter(({ followers }) => followers.has(room))
      .flatMap(({ name, excludable: id }) => (id === undefined || listed.has(id) ? [] : [name])),
  };
}

/** Whether all that are here are connected: the worker opens broken sockets of event streams again. */
export async function isConnected(crowd: Crowd): Promise<boolean> {
  for (const room of crowd.site.rooms) {
    // oxlint-disable-next-line no-await-in-loop -- room after room
    const listed = [...(await presenceOf(crowd, room)).connected];
    for (const user of expectedPresence(crowd, room).users) {
      const place = listed.indexOf(user);
      if (place === -1) return false;
      listed.splice(place, 1);
    }
  }
  return true;
}
