// A crowd of clients of every kind in the same rooms, each behind a wire of its own that can be cut.

import type { Endpoint } from "../support/endpoint.ts";
import { startProxy, type Break, type Proxy } from "../support/proxy.ts";
import type { Chance } from "../support/seed.ts";
import { pause } from "./load.ts";
import { RoomRecord } from "./mixed-record.ts";

/** `vanish` leaves the endpoint's side half-open; `close` is the client's own farewell, after which it comes back. */
export type HowCut = Break | "close";

export interface Crowd {
  readonly endpoint: Endpoint;
  readonly hub: string;
  readonly records: readonly RoomRecord[];
}

export interface Place {
  readonly crowd: Crowd;
  /** Its user's, too. */
  readonly name: string;
  readonly proxy: Proxy;
}

/** Places in these rooms of a hub, each behind its own wire. */
export function placing(endpoint: Endpoint, rooms: readonly string[]) {
  const records = rooms.map((room) => new RoomRecord(room));
  const crowd: Crowd = { endpoint, hub: "signalr-stateful", records };
  let count = 0;
  const place = async (kind: string): Promise<Place> => ({
    ...{ crowd, name: `${kind}${count++}`, proxy: await startProxy(endpoint.port) },
  });
  return { crowd, records, place };
}

export abstract class Member implements AsyncDisposable {
  readonly crowd: Crowd;
  readonly name: string;
  readonly proxy: Proxy;
  /** Where it listens. */
  abstract readonly rooms: readonly string[];
  /** Milliseconds from a cut until it is back. */
  readonly returns: number[] = [];

  constructor({ crowd, name, proxy }: Place) {
    this.crowd = crowd;
    this.name = name;
    this.proxy = proxy;
  }

  record(room: string): RoomRecord {
    return this.crowd.records.find((one) => one.room === room)!;
  }

  /** Comes for the first time, and is in its rooms. */
  abstract enter(): Promise<void>;
  /** Coming back is the client's own business. */
  abstract cut(how: HowCut): Promise<void>;
  abstract back(): Promise<void>;
  /** Done when it is acknowledged, whatever is cut meanwhile. */
  say(_room: string, _text: string): Promise<void> {
    throw new Error("It only listens.");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy[Symbol.dispose]();
  }
}

export interface Churn {
  readonly dice: Chance;
  readonly cuts: readonly HowCut[];
  /** How often a cut falls into the return from another. */
  readonly again: number;
  /** Whether there is a cut left. */
  takes(): boolean;
}

export async function churned(member: Member, churn: Churn): Promise<void> {
  const { dice, cuts, again, takes } = churn;
  while (takes()) {
    await pause(dice.below(400));
    const began = performance.now();
    await member.cut(dice.pick(cuts));
    if (dice.next() < again && takes()) {
      await pause(dice.below(60));
      await member.cut("reset");
    }
    await member.back();
    member.returns.push(performance.now() - began);
  }
}

/** Between what one speaker says. */
const EVERY_MS = 60;
/** What may wait for its answer: a slow endpoint is not asked for more, and all fits into what rooms keep. */
const UNDER_WAY = 10;
const PADDING = "x".repeat(100);

/** Says something in each room in turn until it is stopped, and a last word in all of them. */
export function speaking(member: Member) {
  const { records } = member.crowd;
  const refused: string[] = [];
  const work = new Set<Promise<void>>();
  const begin = (record: RoomRecord): void => {
    const one = say(record).finally(() => work.delete(one));
    work.add(one);
  };
  const say = async ({ room, ledger }: RoomRecord): Promise<void> => {
    const stamp = ledger.stamp(member.name);
    try {
      await member.say(room, `${stamp} ${room} ${PADDING}`);
      ledger.acked(stamp);
    } catch (error) {
      refused.push(`${stamp}: ${(error as Error).message}`);
    }
  };
  const stopped = new AbortController();
  const running = (async () => {
    for (let n = 0; !stopped.signal.aborted; await pause(EVERY_MS))
      if (work.size < UNDER_WAY) begin(records[n++ % records.length]!);
  })();
  const stop = async (): Promise<readonly string[]> => {
    stopped.abort();
    await running;
    await Promise.all(work);
    await Promise.all(records.map(say));
    return refused;
  };
  return { stop };
}
