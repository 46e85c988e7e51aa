// What a simulated placement came to, in Markdown.

import type { Level } from "./placement-relays.ts";

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly mean: number;
  readonly most: number;
}

export function spreadOf(values: Iterable<number>): Spread {
  const sorted = [...values].toSorted((a, b) => a - b);
  const sum = sorted.reduce((all, value) => all + value, 0);
  return {
    least: sorted[0] ?? 0,
    median: sorted[Math.floor(sorted.length / 2)] ?? 0,
    mean: sum / Math.max(1, sorted.length),
    most: sorted.at(-1) ?? 0,
  };
}

export interface Simulated {
  readonly connections: number;
  readonly rooms: number;
  readonly levels: readonly Level[];
  /** Relays asked by a client that connects. */
  readonly asked: Spread;
  readonly perRelay: Spread;
  /** Rooms that a relay follows. */
  readonly followed: Spread;
  /** Relays that a room delivers to: calls for each message. */
  readonly calls: Spread;
  /** Users in one account object. */
  readonly accounts: Spread;
  /** Messages a second in each room at which a relay takes as many calls as the platform advises. */
  readonly rate: number;
  readonly lost: { readonly relays: number; readonly connections: number };
  /** Those who return after the loss. */
  readonly returned: { readonly asked: Spread; readonly levels: readonly Level[] };
  /** Share of attempts that fail while one relay in ten does not answer. */
  readonly failing: number;
}

const count = (value: number): string => Math.round(value).toLocaleString("en");
const exact = (value: number): string => String(Math.round(value * 100) / 100);
const spread = ({ least, median, mean, most }: Spread): string =>
  `${count(median)} (${count(least)} to ${count(most)}, mean ${exact(mean)})`;

/** A row for each level. */
const levelRows = (title: string, levels: readonly Level[]) =>
  levels.map(
    ({ level, relays, connections }) =>
      [`${title} ${level}`, `${relays} × ${count(connections / relays)}`] as const,
  );

export function reportOf(found: Simulated): string {
  const { lost, returned } = found;
  const rows: readonly (readonly [string, string])[] = [
    ["connections, rooms", `${count(found.connections)}, ${count(found.rooms)}`],
    ...levelRows("relays × connections, level", found.levels),
    ["connections of a relay", spread(found.perRelay)],
    ["relays that a new client asks", spread(found.asked)],
    ["rooms that a relay follows", spread(found.followed)],
    ["calls for a message, room to relays", spread(found.calls)],
    ["messages a second in each room at 1,000 calls a second to a relay", exact(found.rate)],
    ["users of an account object", spread(found.accounts)],
    ["one relay in ten restarts", `${lost.relays} relays, ${count(lost.connections)} connections`],
    ["those who return: relays asked", spread(returned.asked)],
    ...levelRows("then, level", returned.levels),
    ["one relay in ten does not answer: attempts that fail", `${exact(found.failing * 100)} %`],
  ];
  return ["| | |", "| --- | --- |", ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}
