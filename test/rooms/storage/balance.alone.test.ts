// A random life of hubs of many kinds (clients of every protocol come and go, rooms and relays fill up, sleep, crash,
// are erased), and what is left of it: no object holds anything for clients, and none stores anything.

import {
  abortAllDurableObjects,
  evictDurableObject,
  listDurableObjectIds,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ObjectParts } from "../../../src/rooms/object/object-parts.ts";
import { ask } from "../../edge/rest/service.ts";
import { chance, sizeOf, type Chance } from "../../support/seed.ts";
import { NOTHING, storedIn } from "../../support/stored.ts";
import { alarmOf } from "../alarms.ts";
import { roomAt } from "../client.ts";
import { MEMBERS, memberOf, type Member } from "../relay/members.ts";

const HUBS = [
  ...["relayed", "five", "full", "remembering-five", "resuming-five"],
  ...["odd", "odd-unlogged", "odd-behind"],
];
const ROOMS = ["group:a", "group:b"];
const STEPS = sizeOf(60, 1_000);
/** Of clients that are here at once. */
const CROWD = 8;

type Stub = DurableObjectStub;
const NAMESPACES = [env.ROOMS, env.RELAYS, env.ACCOUNTS] as unknown as DurableObjectNamespace[];
/** Names of all objects, by id: one that wakes by its id alone does not know its name. */
const names = new Map<string, string>();

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
  const prototype = Object.getPrototypeOf(NAMESPACES[0]) as DurableObjectNamespace;
  const { getByName } = prototype;
  vi.spyOn(prototype, "getByName").mockImplementation(function (this: typeof prototype, name) {
    const stub = getByName.call(this, name);
    names.set(String(stub.id), name);
    return stub;
  });
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function objects(): Promise<Stub[]> {
  const lists = NAMESPACES.map(async (namespace) =>
    (await listDurableObjectIds(namespace)).map((id) =>
      namespace.getByName(names.get(String(id))!),
    ),
  );
  return (await Promise.all(lists)).flat();
}

/** What may fail, where an object sleeps or crashes meanwhile. */
type Step = (dice: Chance, here: Member[]) => Promise<unknown>;

const place = (dice: Chance) => ({ hub: dice.pick(HUBS), room: dice.pick(ROOMS) });
const pathOf = ({ hub, room }: ReturnType<typeof place>) => `/hubs/${hub}/rooms/${room}`;

async function come(dice: Chance, here: Member[]): Promise<void> {
  const { hub, room } = place(dice);
  const user = `user${dice.below(4)}`;
  const who = { hub, room, user, claims: { channels: [room] } };
  here.push(await memberOf(dice.pick(Object.keys(MEMBERS)), who));
}

const go: Step = async (dice, here) => here.splice(dice.below(here.length), 1)[0]?.end();

const STEPS_OF_LIFE: readonly Step[] = [
  (dice, here) => (here.length < CROWD ? come(dice, here) : go(dice, here)),
  (dice, here) => (here.length < CROWD ? come(dice, here) : go(dice, here)),
  go,
  async (dice) => {
    const { hub, room } = place(dice);
    await roomAt(`${hub}/${room}`).publish({ target: "said", params: '["text"]' });
  },
  (dice) => ask("POST", `${pathOf(place(dice))}/:run/add`, { body: { arguments: [1] } }),
  (dice) => ask("DELETE", pathOf(place(dice))),
  (dice) => ask("POST", `/hubs/${place(dice).hub}/users/user${dice.below(4)}/:closeConnections`),
  async (dice) => evictDurableObject(dice.pick(await objects())),
  async (dice) => dice.below(4) === 0 && abortAllDurableObjects(),
  async (dice) => {
    vi.setSystemTime(Date.now() + dice.pick([1_000, 10_000]));
    for (const one of await objects()) await runDurableObjectAlarm(one);
  },
];

/** Bytes held for clients, connections and sockets of objects that have any. */
const heldIn = (stub: Stub) =>
  runInDurableObject(stub, (object, state) => {
    const { parts } = object as unknown as { readonly parts?: ObjectParts };
    const held = parts?.connections.held.held ?? 0;
    const counts = [held, parts?.connections.all.size ?? 0, state.getWebSockets().length];
    return counts.some((count) => count !== 0) ? [`${state.id.name}: ${counts.join()}`] : [];
  });

const storesIn = async (stub: Stub) => {
  const stored = await storedIn(stub);
  return JSON.stringify(stored) === JSON.stringify(NOTHING)
    ? []
    : [[names.get(`${stub.id}`), stored]];
};

/** Rings every alarm when it is due. */
async function ringAll(): Promise<void> {
  for (const one of await objects()) {
    const at = await alarmOf(one);
    if (at === null) continue;
    vi.setSystemTime(Math.max(at, Date.now()));
    await runDurableObjectAlarm(one);
  }
}

it(`nothing is held and nothing is stored after ${STEPS} steps`, { timeout: 600_000 }, async () => {
  const dice = chance();
  const here: Member[] = [];
  for (let step = 0; step < STEPS; step++)
    await dice
      .pick(STEPS_OF_LIFE)(dice, here)
      .catch(() => {});
  for (const member of here) member.end();
  const about = `seed ${dice.seed}`;
  const held = async () => {
    await ringAll();
    return (await Promise.all((await objects()).map(heldIn))).flat();
  };
  await expect.poll(held, { timeout: 60_000, message: about }).toEqual([]);
  for (const hub of HUBS) for (const room of ROOMS) await roomAt(`${hub}/${room}`).erase();
  const stored = async () => {
    await ringAll();
    return (await Promise.all((await objects()).map(storesIn))).flat();
  };
  await expect.poll(stored, { timeout: 60_000, message: about }).toEqual([]);
});
