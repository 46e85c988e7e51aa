// `npm run bench -- placement`: where a million connections would go, by the functions that place them: the choice of
// relays level by level, names and hashes. No socket is opened, and nothing is sent.

import { parseArgs } from "node:util";
import { accountName } from "../src/rooms/rpc/object-names.ts";
import { LEVELS, relayName } from "../src/rooms/rpc/relay-levels.ts";
import { LIMITS } from "../src/model/options.ts";
import { Relays, type Placed } from "./placement-relays.ts";
import { reportOf, spreadOf, type Spread } from "./placement-report.ts";

const HELP = `npm run bench -- placement [options]

Simulates where clients of one hub in one region would go, and what a message costs then.

  --connections N   (1,000,000)
  --rooms N         each client is in one of them (20,000)
  --seed N          (1)
  --help
`;

interface Options {
  readonly connections: number;
  readonly rooms: number;
  readonly random: () => number;
}

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Relays of each room, from where its members are. */
function followersOf(placed: readonly Placed[], { rooms }: Options): Set<string>[] {
  const followers = Array.from({ length: rooms }, () => new Set<string>());
  for (const [client, { relay }] of placed.entries()) followers[client % rooms]!.add(relay);
  return followers;
}

/** Rooms that each relay follows. */
function roomsOf(followers: readonly Set<string>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const relays of followers)
    for (const relay of relays) counts.set(relay, (counts.get(relay) ?? 0) + 1);
  return counts;
}

function accountsOf({ connections }: Options): Spread {
  const counts = new Map<string, number>();
  for (let client = 0; client < connections; client++) {
    const name = accountName({ tenant: "default", user: `user-${client}` });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return spreadOf(counts.values());
}

/** Cloudflare's soft limit for one object. */
const REQUESTS_PER_SECOND = 1_000;
/** One relay in so many fails. */
const FAILING = 10;

export async function placement(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      connections: { type: "string", default: "1000000" },
      rooms: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return process.stdout.write(HELP);
  const options = {
    connections: Number(values.connections),
    rooms: Number(values.rooms),
    random: randomFrom(Number(values.seed)),
  };
  console.log(simulate(options));
  return true;
}

function simulate(options: Options): string {
  const { connections, rooms, random } = options;
  const relays = new Relays({
    name: (level, hash) => relayName({ region: "weur" }, level, hash),
    levels: LEVELS,
    capacity: LIMITS.connectionsPerRelay,
    random,
  });
  const place = (count: number): Placed[] => Array.from({ length: count }, () => relays.place()!);
  const placed = place(connections);
  const followers = followersOf(placed, options);
  const followed = spreadOf(roomsOf(followers).values());
  const [levels, perRelay] = [relays.state(), relays.loads()];
  const lost = relays.restart(FAILING);
  const returned = place(lost.connections);
  return reportOf({
    ...{ connections, rooms, levels, followed, lost },
    perRelay: spreadOf(perRelay),
    asked: spreadOf(placed.map(({ asked }) => asked)),
    calls: spreadOf(followers.map(({ size }) => size)),
    accounts: accountsOf(options),
    rate: REQUESTS_PER_SECOND / followed.mean,
    returned: { asked: spreadOf(returned.map(({ asked }) => asked)), levels: relays.state() },
    failing: relays.failing(FAILING, { draws: 200, attempts: 1_000 }),
  });
}
