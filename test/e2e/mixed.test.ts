// Clients of every kind in the same rooms, cut in every way and coming back, while others publish in every way: who
// resumes by position hears everything once and in order, and a connection of SignalR's does while it lives.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BREAKS } from "../support/proxy.ts";
import type { Endpoint } from "../support/endpoint.ts";
import { chance } from "../support/seed.ts";
import { sharedTestEndpoint } from "../support/shared-endpoint.ts";
import { TEST_MS } from "../support/patience.ts";
import { eventually } from "./client.ts";
import { churned, placing, speaking, type HowCut, type Member } from "./mixed-crowd.ts";
import { EventMember } from "./mixed-events.ts";
import { PartyMember } from "./mixed-placed.ts";
import type { RoomRecord } from "./mixed-record.ts";
import { SignalRMember, type Way } from "./mixed-signalr.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const LONG = process.env["DORMOUSE_LONG"] === "1";
const CYCLES = LONG ? 1_000 : 150;
const ROOMS = ["group:mixed-a", "group:mixed-b"] as const;
/** The endpoint's half of one in six stays open: a user may have 50 connections. */
const CUTS: readonly HowCut[] = ["reset", "reset", "fin", "fin", "close", "vanish"];

/** What a client of SignalR's can promise is its transport's affair: only a stateful one outlives its socket. */
const STATEFUL_RECONNECT: Way = { transport: "WebSockets", isPacked: true, stateful: true };
const MORTAL: readonly Way[] = [
  { transport: "WebSockets" },
  { transport: "ServerSentEvents" },
  { transport: "LongPolling" },
  { transport: "LongPolling", isPacked: true },
];

async function gathered(scope: AsyncDisposableStack) {
  const { records, place } = placing(endpoint, ROOMS);
  const parties = [
    new PartyMember(await place("party"), ROOMS[0]),
    new PartyMember(await place("party"), ROOMS[1]),
  ] as const;
  const events = [
    new EventMember(await place("events"), ROOMS),
    new EventMember(await place("event"), ROOMS.slice(0, 1)),
  ];
  const mortals: SignalRMember[] = [];
  for (const way of MORTAL) mortals.push(new SignalRMember(await place("signalr"), way));
  const stateful = new SignalRMember(await place("stateful"), STATEFUL_RECONNECT);
  // They repeat what was not acknowledged, or their connection does: so they may be cut, too.
  const sturdy = [
    new PartyMember(await place("speaker"), ROOMS[0], false),
    new SignalRMember(await place("speaker"), STATEFUL_RECONNECT, false),
  ];
  const speakers: Member[] = [...sturdy];
  for (const way of MORTAL.slice(0, 3))
    speakers.push(new SignalRMember(await place("speaker"), way, false));
  const listeners = [...parties, ...events, ...mortals, stateful];
  for (const member of [...listeners, ...speakers]) scope.use(member);
  await Promise.all([...listeners, ...speakers].map((member) => member.enter()));
  return { records, parties, events, mortals, stateful, sturdy, speakers, listeners };
}

describe("a crowd of every kind of client", () => {
  it(
    `[R1] hears everything once and in order, over ${CYCLES} cuts under load`,
    { timeout: LONG ? 900_000 : TEST_MS },
    async () => {
      const dice = chance();
      await using scope = new AsyncDisposableStack();
      const crowd = await gathered(scope);
      const { records, parties, listeners } = crowd;
      const speeches = crowd.speakers.map(speaking);
      let left = CYCLES;
      const takes = () => left-- > 0;
      const whole = { dice, takes, cuts: CUTS, again: 0.2 };
      const unbroken = { dice, takes, cuts: BREAKS, again: 0 };
      const mortal = [...parties, ...crowd.events, ...crowd.mortals, crowd.sturdy[0]!];
      await Promise.all([
        ...mortal.map((member) =>
          churned(member, member === crowd.sturdy[0] ? { ...whole, cuts: BREAKS } : whole),
        ),
        ...[crowd.stateful, crowd.sturdy[1]!].map((member) => churned(member, unbroken)),
      ]);
      const refused = await Promise.all(speeches.map(({ stop }) => stop()));
      const isComplete = () =>
        listeners.every(({ name, rooms }) =>
          rooms.every((room) => records.find((one) => one.room === room)!.isComplete(name)),
        );
      const said = await eventually(async () => isComplete(), "all have heard all").catch(String);
      expect(refused.flat()).toEqual([]);
      for (const [i, { ledger }] of records.entries()) ledger.history(await parties[i]!.history());
      expect(records.flatMap(({ violations }) => violations)).toEqual([]);
      expect(said).toBeUndefined();
      expect(crowd.events.flatMap(({ wrong }) => wrong)).toEqual([]);
      expect(records.flatMap(({ resets }) => resets)).toEqual([]);
      for (const record of records) {
        expect(record.ledger.totals.acked).toBe(record.ledger.totals.sent);
        expect(record.livesOf(crowd.stateful.name)).toBe(1);
      }
      report(records, [...listeners, ...crowd.sturdy]);
    },
  );
});

function report(records: readonly RoomRecord[], members: readonly Member[]): void {
  const sum = (of: (one: RoomRecord) => number) => records.reduce((all, one) => all + of(one), 0);
  console.log(
    `${sum(({ ledger }) => ledger.totals.sent)} said, ${sum(({ ledger }) => ledger.checked)} heard by position in ` +
      `${sum(({ returns }) => returns)} returns, ${sum(({ unplaced }) => unplaced)} without`,
  );
  for (const { name, returns } of members) {
    const sorted = returns.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.floor(sorted.length * part)]?.toFixed(0);
    console.log(`${name}: ${sorted.length} cuts, back after ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  }
}
