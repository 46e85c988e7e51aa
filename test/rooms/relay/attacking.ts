// What attacks on relays have in common: sockets that break, and rooms that hang.

import { runInDurableObject } from "cloudflare:test";
import { expect, onTestFinished } from "vitest";
import { attachedOf } from "../../../src/rooms/connection/attachment.ts";
import type { RoomRpc } from "../../../src/rooms/rpc/room-rpc.ts";
import { roomAt } from "../client.ts";
import { replace } from "../replaced.ts";
import { relayOf, type SignalR } from "./client.ts";

export const stateful = { query: "useStatefulReconnect=true", version: 2 };

export const lose = ({ id }: SignalR, of: string) =>
  runInDurableObject(relayOf(of, id), (relay, state) => {
    const isIts = (one: WebSocket) => attachedOf(one)?.id === id;
    const socket = state.getWebSockets().find(isIts)!;
    (relay as unknown as DurableObject).webSocketClose!(socket, 1006, "", false);
  });

export const rowsAt = (of: string, id: string, table: string): Promise<object[]> =>
  runInDurableObject(relayOf(of, id), (_, { storage }) =>
    storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
  );

/** Calls of a room wait until they are let go. Flags, not promises: those would lead into another object's context. */
export async function slow(room: string, name: "follow" | "presence" | "missed" | "publishAs") {
  const state = { held: false, free: false };
  await replace(room, name, ((real: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]) => {
      state.held = true;
      while (!state.free) await scheduler.wait(10);
      return real(...args);
    }) as never);
  const letGo = () => void (state.free = true);
  onTestFinished(letGo);
  return { held: () => expect.poll(() => state.held).toBe(true), letGo };
}

/** As other objects ask. */
export function presentIn(room: string) {
  const peer: RoomRpc = roomAt(room);
  return peer.presence({});
}

export const late = (ms: number) => scheduler.wait(ms).then(() => "late" as const);
