// Clients that arrive at a relay while it calls their users' accounts: what was checked before is checked again.

import { expect, it } from "vitest";
import { LIMITS } from "../../../src/model/options.ts";
import type { User } from "../../../src/model/user.ts";
import type { AdmissionCache } from "../../../src/rooms/object/admission-cache.ts";
import { classify, type AnyArrival } from "../../../src/rooms/relay/classify-arrival.ts";
import type { RelayParts } from "../../../src/rooms/relay/relay-parts.ts";

const USER = { id: "ann", tenant: "t" } as User;
const REQUEST = { query: {}, headers: {} };
const RPC = { kind: "rpc", user: USER, request: REQUEST } as unknown as AnyArrival;
const NEGOTIATED = { kind: "hub", user: USER, request: REQUEST, token: "token" } as AnyArrival;

/** A relay, and what comes to be while the account is called. */
function arriving(meanwhile: (relay: { isFull: boolean; used: boolean; mine: number }) => void) {
  const relay = { isFull: false, used: false, mine: 0 };
  const parts = {
    address: { tenant: "t", hub: "h", relay: "any.0.0" },
    settings: { limits: { ...LIMITS, connectionsPerUser: 2 } },
    lastFrames: { has: () => false },
    seats: {
      get isFull() {
        return relay.isFull;
      },
      read: async () => ({ id: "id", traits: {}, isLapsed: () => relay.used }),
      take: () => undefined,
    },
    connections: {
      get: () => undefined,
      inbound: { checkCalm() {} },
      byUser: { countOf: () => relay.mine },
    },
    liveness: () => ({ endSilent() {} }),
  } as unknown as RelayParts;
  const admissions = { begin: async () => meanwhile(relay) } as unknown as AdmissionCache;
  return (arrival: AnyArrival) => classify(parts, admissions, arrival);
}

it.each([
  ["whose relay is full", RPC, "relay_full", { isFull: true }],
  ["whose user has many connections", RPC, "too_many_connections", { mine: 2 }],
  ["that has negotiated, whose user has", NEGOTIATED, "too_many_connections", { mine: 2 }],
  ["whose token has begun another connection", NEGOTIATED, "connection_not_found", { used: true }],
] as const)("refuses a client %s by then", async (_, arrival, code, change) => {
  const classified = arriving((relay) => Object.assign(relay, change));
  await expect(classified(arrival)).rejects.toMatchObject({ code });
});

it("takes others", async () => {
  const classified = arriving((relay) => Object.assign(relay, { mine: 1 }));
  expect([(await classified(RPC)).kind, (await classified(NEGOTIATED)).kind]).toEqual([
    ...["rpc", "fresh"],
  ]);
});
