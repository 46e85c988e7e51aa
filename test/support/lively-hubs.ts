// Hubs of the random lives in test/rooms/lives: their logs lose nothing in a life, and their limits are never met.

import * as z from "zod";
import { hub, method, signedIn, type HubOptions } from "../../src/hub.ts";

interface LivelyClient {
  said(text: string): void;
}

const Text = z.string();

const livelyHub = (hubName: string, { limits, ...options }: HubOptions<LivelyClient> = {}) =>
  hub<LivelyClient>(hubName, {
    authorize: signedIn,
    rooms: { group: { enter: signedIn } },
    history: { size: 1_000, ttlSeconds: 86_400 },
    signalR: { statefulReconnect: true },
    limits: { callsPerSecond: 1_000, callBurst: 1_000, connectBurst: 10_000, ...limits },
    ...options,
  }).methods({
    join: method([Text], ({ group }, name) => group(name).join()),
    leave: method([Text], ({ group }, name) => group(name).leave()),
    say: method([Text, Text], ({ clients }, name, text) => clients.group(name).said(text)),
    sayOthers: method([Text, Text], ({ clients }, name, text) => clients.othersIn(name).said(text)),
  });

export const livelyHubs = [
  livelyHub("lively"),
  // Rooms and relays are full soon, and others take their clients.
  livelyHub("lively-small", { limits: { connectionsPerObject: 2, connectionsPerRelay: 3 } }),
];
