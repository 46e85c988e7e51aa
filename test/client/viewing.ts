// A connection to a whole hub on a fake clock, for tests of its rooms.

import { onTestFinished, vi } from "vitest";
import { connect, roomOf, type HubConnection } from "../../src/client/index.ts";
import type { TestHub } from "./hubs.ts";
import { advance, FakeServer, HALF, type FakeSocket } from "./server.ts";

export const HELLO = { connectionId: "c-1", userId: "alice", pingSeconds: 15 };
export const JOINED = { position: "e:10", recovered: false, replayed: 0 };
export const LOBBY = "group:lobby";

export interface Setting {
  readonly server: FakeServer;
  readonly hub: HubConnection<TestHub>;
}

export async function connecting(): Promise<Setting> {
  vi.useFakeTimers();
  const server = new FakeServer();
  const hub = connect<TestHub>("wss://host/hubs/test", {
    token: "t",
    backoff: { random: () => HALF },
    WebSocket: server.WebSocket,
  });
  onTestFinished(() => {
    hub.close();
    vi.useRealTimers();
  });
  await advance();
  return { server, hub };
}

export async function greet({ server }: Pick<Setting, "server">): Promise<void> {
  server.socket.accept();
  server.socket.deliver({ method: "$/connected", params: HELLO });
  await advance();
}

export async function connected(): Promise<Setting> {
  const setting = await connecting();
  await greet(setting);
  return setting;
}

/** Answers the newest call of a method: with a result, or with an error's code. */
export async function answer(socket: FakeSocket, method: string, result: object): Promise<void> {
  await advance();
  const { id } = socket.sentMessages.findLast((sent) => sent.method === method)!;
  const error = "code" in result && { code: -32003, message: "No.", data: result };
  socket.deliver(error ? { id: id!, error } : { id: id!, result });
  await advance();
}

export async function joined(setting: Setting, room: `group:${string}` = LOBBY) {
  const view = roomOf(setting.hub, room);
  await answer(setting.server.socket, "$/join", JOINED);
  return view;
}

export async function reconnect(setting: Pick<Setting, "server">): Promise<void> {
  const { socket } = setting.server;
  socket.end();
  // oxlint-disable-next-line no-await-in-loop -- pauses grow with each loss
  while (setting.server.socket === socket) await advance(100);
  await greet(setting);
}

export const sent = ({ server }: Setting, method: string) =>
  server.socket.sentMessages.filter((message) => message.method === method);
