// A room's history for components: the page, then live messages, none missing and none twice.

import { expect, it, vi } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import { roomHistory, type RoomHistoryOptions } from "../../src/components/room-history.ts";
import {
  advance,
  connectedClient,
  connectingClient,
  type FakeServer,
  type FakeSocket,
} from "../client/server.ts";
import type { TestHub } from "../client/hubs.ts";

const saved = (offset: number) => ({
  method: "said",
  params: ["bob", `${offset}`],
  position: `e:${offset}`,
  at: 1,
});

async function followed(options: RoomHistoryOptions = {}) {
  const { client, server } = await connectedClient<TestHub>();
  const value = roomHistory<TestHub>(options);
  const held = { hub: hubAt<TestHub>("", { token: "t" }), room: "group:lobby" } as const;
  const end = value.listen(client, () => {}, held);
  await advance();
  const read = () => value.read(client, held);
  const offsets = () => read().messages.map(({ position }) => position.slice(2));
  return { client, end, server, socket: server.socket, read, offsets };
}

/** Ends the connection, and greets the next one as the same client, which has missed nothing. */
async function reconnect(server: FakeServer): Promise<FakeSocket> {
  const before = server.socket;
  before.end();
  // oxlint-disable-next-line no-await-in-loop -- the pause is the backoff's
  while (server.socket === before) await advance(100);
  server.socket.greet({ recovered: true });
  await advance();
  return server.socket;
}

const requests = (socket: FakeSocket) =>
  socket.sentMessages.filter(({ method }) => method === "$/history");

const live = (socket: FakeSocket, offset: number, method = "said") =>
  socket.deliver({ ...saved(offset), method, room: "group:lobby" });

async function answer(socket: FakeSocket, answered: object): Promise<void> {
  const { id } = socket.sentMessages.findLast(({ method }) => method === "$/history")!;
  socket.deliver({ id, ...answered });
  await advance();
}

it("is the page, and what follows it", async () => {
  const { socket, read, offsets, end } = await followed({ limit: 2 });
  expect(read()).toMatchObject({ isLoading: true, messages: [] });
  expect(socket.sentMessages.at(-1)!.params).toEqual([{ limit: 2 }]);
  await answer(socket, { result: { messages: [saved(9), saved(10)], position: "e:10" } });
  expect(read().isLoading).toBe(false);
  live(socket, 11);
  live(socket, 12, "$/presence");
  live(socket, 12, "$/state");
  expect(offsets()).toEqual(["9", "10", "11"]);
  end();
  live(socket, 13);
  expect(offsets()).toEqual(["9", "10", "11"]);
});

it("shows a message once that comes live and in the page, and one that comes before it", async () => {
  const { socket, offsets } = await followed();
  live(socket, 11);
  live(socket, 12);
  expect(offsets()).toEqual(["11", "12"]);
  await answer(socket, { result: { messages: [saved(10), saved(11)], position: "e:11" } });
  expect(offsets()).toEqual(["10", "11", "12"]);
});

it("loads again where messages may be missing, and forgets a log that is gone", async () => {
  const { socket, read, offsets } = await followed();
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  socket.deliver({ method: "$/reset", room: "group:lobby" });
  await advance();
  expect(read().isLoading).toBe(true);
  const first = { ...saved(1), position: "f:1" };
  await answer(socket, { result: { messages: [first], position: "f:1" } });
  expect(read().messages.map(({ position }) => position)).toEqual(["f:1"]);
  expect(offsets()).toEqual(["1"]);
});

it("is loaded after a loss that took the request for it", async () => {
  const { server, socket, read, offsets } = await followed();
  live(socket, 11);
  const returned = await reconnect(server);
  live(returned, 12);
  expect(requests(returned)).toHaveLength(1);
  await answer(returned, { result: { messages: [saved(10), saved(11)], position: "e:11" } });
  expect(read()).toMatchObject({ isLoading: false, error: undefined });
  expect(offsets()).toEqual(["10", "11", "12"]);
});

it("is not loaded again after a loss, where nothing was missed", async () => {
  const { server, socket, offsets } = await followed();
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  const returned = await reconnect(server);
  live(returned, 11);
  expect(requests(returned)).toEqual([]);
  expect(offsets()).toEqual(["10", "11"]);
});

it("is requested once by a return that has missed messages", async () => {
  const { server, socket } = await followed();
  socket.end();
  await advance(500);
  server.socket.greet({ recovered: false });
  await advance();
  expect(requests(server.socket)).toHaveLength(1);
});

it("keeps live messages where the history may not be read, and says why", async () => {
  const { socket, read, offsets } = await followed();
  const error = { code: -32003, message: "No.", data: { code: "forbidden" } };
  await answer(socket, { error });
  live(socket, 11);
  expect(read()).toMatchObject({ isLoading: false, error: { code: "forbidden" } });
  expect(offsets()).toEqual(["11"]);
});

it("is read again after a refusal that may pass, and says why meanwhile", async () => {
  const { socket, read, offsets, client } = await followed();
  const error = { code: -32005, message: "Slower.", data: { code: "rate_limited" } };
  await answer(socket, { error });
  live(socket, 11);
  expect(read()).toMatchObject({ isLoading: true, error: { code: "rate_limited" } });
  await advance(1_000);
  expect(requests(socket)).toHaveLength(2);
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  expect(read()).toMatchObject({ isLoading: false, error: undefined });
  expect(offsets()).toEqual(["10", "11"]);
  socket.deliver({ method: "$/reset", room: "group:lobby" });
  await advance();
  await answer(socket, { error });
  client.close();
  await advance();
  expect(read()).toMatchObject({ isLoading: false, error: { code: "rate_limited" } });
});

it("ends with the reason why the room does not admit this client", async () => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  const { client, server } = await connectingClient<TestHub>();
  const value = roomHistory<TestHub>();
  const held = { hub: hubAt<TestHub>("", { token: "t" }), room: "group:lobby" } as const;
  value.listen(client, () => {}, held);
  expect(value.read(client, held)).toMatchObject({ isLoading: true, error: undefined });
  server.socket.refuse({ status: 403, code: "forbidden" });
  const ended = { messages: [], isLoading: false, error: { code: "forbidden" } };
  expect(value.read(client, held)).toMatchObject(ended);
  const later = roomHistory<TestHub>();
  later.listen(client, () => {}, held);
  expect(later.read(client, held)).toMatchObject(ended);
});

it("ends where the connection is closed before the page has come", async () => {
  const { client, read } = await followed();
  client.close();
  await advance();
  expect(read()).toMatchObject({ isLoading: false, error: { code: "closed" } });
});

it("stays as it is where the connection is closed later", async () => {
  const { client, socket, read, offsets } = await followed();
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  client.close();
  await advance();
  expect(read()).toMatchObject({ isLoading: false, error: undefined });
  expect(offsets()).toEqual(["10"]);
});

it("is read no more once nothing shows it", async () => {
  const { socket, end } = await followed();
  await answer(socket, { error: { code: -32603, message: "No.", data: { code: "internal" } } });
  end();
  await advance(10_000);
  expect(requests(socket)).toHaveLength(1);
});

it("keeps the newest messages only", async () => {
  const { socket, offsets } = await followed({ most: 2 });
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  for (const offset of [11, 12]) live(socket, offset);
  expect(offsets()).toEqual(["11", "12"]);
});
