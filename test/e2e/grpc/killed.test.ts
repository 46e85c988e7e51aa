// Subscribers by Connect and gRPC-Web are killed and restarted under load, beside clients of SignalR and readers of
// events in the same rooms: everybody hears everything once and in order.

import { afterAll, beforeAll, expect, it } from "vitest";
import type { Endpoint } from "../../support/endpoint.ts";
import { chance } from "../../support/seed.ts";
import { sharedTestEndpoint } from "../../support/shared-endpoint.ts";
import { eventually } from "../client.ts";
import { churned, placing, speaking, type HowCut } from "../mixed-crowd.ts";
import { EventMember } from "../mixed-events.ts";
import { PartyMember } from "../mixed-placed.ts";
import type { RoomRecord } from "../mixed-record.ts";
import { SignalRMember } from "../mixed-signalr.ts";
import { as, clientAt, list, SERVICE } from "./clients.ts";
import { GrpcMember, GrpcSpeaker } from "./member.ts";

let endpoint: Endpoint;
beforeAll(async () => void (endpoint = await sharedTestEndpoint()));
afterAll(() => endpoint[Symbol.asyncDispose]());

const KILLS = 200;
const ROOMS = ["group:grpc-a", "group:grpc-b"] as const;
const CUTS: readonly HowCut[] = ["close", "reset", "fin"];

async function gathered(scope: AsyncDisposableStack) {
  const { records, place } = placing(endpoint, ROOMS);
  const killed = [
    new GrpcMember(await place("connect"), ROOMS, "Connect"),
    new GrpcMember(await place("json"), ROOMS.slice(0, 1), "Connect with JSON"),
    new GrpcMember(await place("web"), ROOMS, "gRPC-Web"),
  ];
  const stateful = { transport: "WebSockets", isPacked: true, stateful: true } as const;
  const others = [
    new EventMember(await place("events"), ROOMS),
    new SignalRMember(await place("signalr"), { transport: "WebSockets" }),
    new SignalRMember(await place("stateful"), stateful),
  ];
  const parties = [
    new PartyMember(await place("party"), ROOMS[0]),
    new PartyMember(await place("party"), ROOMS[1]),
  ] as const;
  const speakers = [
    new GrpcSpeaker(await place("speaker")),
    new PartyMember(await place("speaker"), ROOMS[0], false),
    new SignalRMember(await place("speaker"), { transport: "WebSockets" }, false),
  ];
  const listeners = [...killed, ...others, ...parties];
  for (const member of [...listeners, ...speakers]) scope.use(member);
  await Promise.all([...listeners, ...speakers].map((member) => member.enter()));
  return { records, killed, parties, speakers, listeners };
}

/** Sockets that a room still holds for these users: bridges of theirs. */
async function heldIn(room: string, users: readonly { readonly name: string }[]): Promise<number> {
  const path = `/api/hubs/signalr-stateful/rooms/${encodeURIComponent(room)}/presence`;
  const response = await fetch(endpoint.url + path, await as(endpoint, "s", SERVICE));
  const { presence } = (await response.json()) as {
    presence: readonly { user: string; num_clients: number }[];
  };
  return presence
    .filter(({ user }) => users.some(({ name }) => name === user))
    .reduce((sum, { num_clients: held }) => sum + held, 0);
}

async function say(topic: string): Promise<void> {
  const said = { hub: "signalr-stateful", topic, target: "said", arguments: list("?") };
  await clientAt(endpoint.url).publish(said, await as(endpoint, "s", SERVICE));
}

it(`[R1] subscribers hear everything once and in order, over ${KILLS} kills under load`, async () => {
  const dice = chance();
  await using scope = new AsyncDisposableStack();
  const { records, killed, parties, speakers, listeners } = await gathered(scope);
  const speeches = speakers.map(speaking);
  let left = KILLS;
  const churn = { dice, takes: () => left-- > 0, cuts: CUTS, again: 0.2 };
  await Promise.all(killed.map((member) => churned(member, churn)));
  const refused = await Promise.all(speeches.map(({ stop }) => stop()));
  const isComplete = async () =>
    listeners.every(({ name, rooms }) =>
      rooms.every((room) => records.find((one) => one.room === room)!.isComplete(name)),
    );
  const late = await eventually(isComplete, "all have heard all").catch(String);
  expect(refused.flat()).toEqual([]);
  for (const [i, { ledger }] of records.entries()) ledger.history(await parties[i]!.history());
  expect(records.flatMap(({ violations }) => violations)).toEqual([]);
  expect(late).toBeUndefined();
  expect(records.flatMap(({ resets }) => resets)).toEqual([]);
  const sum = (of: (one: RoomRecord) => number) => records.reduce((all, one) => all + of(one), 0);
  expect(sum(({ returns }) => returns)).toBeGreaterThanOrEqual(KILLS * 0.7);
  await scope.disposeAsync();
  // A caller that is gone is found out by what is said; where nothing is, by heartbeats.
  const isFree = async () => {
    for (const topic of ROOMS) await say(topic);
    return (await heldIn(ROOMS[0], killed)) === 0;
  };
  await eventually(isFree, "no bridge is left behind");
  console.log(
    `${sum(({ ledger }) => ledger.totals.sent)} said, ${sum(({ ledger }) => ledger.checked)} heard, ` +
      `${killed.map(({ name, heard, returns }) => `${name}: ${heard} in ${returns.length} returns`).join(", ")}`,
  );
});
