// Deploys between two wakes of an object: other settings of its hub, or none of the hub or its state. What a test
// changes is put back after it.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { onTestFinished } from "vitest";
import type { Durability, RoomSettings } from "../../../src/model/options.ts";
import type { Receiver } from "../../../src/rooms/object/host.ts";
import { roomAt } from "../client.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const receiverIn = (stub: DurableObjectStub): Promise<Mutable<Receiver>> =>
  runInDurableObject(stub, (one) => (one as unknown as { receiver: Mutable<Receiver> }).receiver);

export const receiverOf = (name: string) => receiverIn(roomAt(name) as DurableObjectStub);

/** The next wake finds the hub with these settings. The function that is returned brings back those of before. */
export async function deployTo(
  object: unknown,
  hub: string,
  change: Partial<RoomSettings>,
): Promise<() => Promise<void>> {
  const stub = object as DurableObjectStub;
  const settings = (await receiverIn(stub)).settings(hub)!;
  const before = { ...settings };
  const bring = (changed: Partial<RoomSettings>) => void Object.assign(settings, changed);
  onTestFinished(() => bring(before));
  bring(change);
  await evictDurableObject(stub);
  return async () => {
    bring(before);
    await evictDurableObject(stub);
  };
}

export const deploy = (name: string, change: Partial<RoomSettings>) =>
  deployTo(roomAt(name), name.split("/")[0]!, change);

export const withDurability = (name: string, durability: Durability) =>
  deploy(name, { durability });

export const HOUR = 3_600;
export const DAY = 24 * HOUR;
/** What a deploy may not know. */
const UNKNOWN = {
  "its hub": ["settings", "state"],
  "its state": ["state"],
} as const;

/** The next wake finds a deploy that does not know it. The function that is returned rolls forward. */
export async function rollBack(
  name: string,
  what: keyof typeof UNKNOWN,
): Promise<() => Promise<void>> {
  const receiver = await receiverOf(name);
  const before = { ...receiver };
  const forward = () => void Object.assign(receiver, before);
  onTestFinished(forward);
  for (const member of UNKNOWN[what]) receiver[member] = () => undefined;
  await evictDurableObject(roomAt(name));
  return async () => {
    forward();
    await evictDurableObject(roomAt(name));
  };
}
