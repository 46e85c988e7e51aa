// A room's history for components: the page, then live messages, none missing and none twice.

import { expect, it } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import { roomHistory, type RoomHistoryOptions } from "../../src/components/room-history.ts";
import { advance, connectedClient, type FakeSocket } from "../client/server.ts";
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
  return { client, end, socket: server.socket, read, offsets };
}

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

it("keeps live messages where the history may not be read, and says why", async () => {
  const { socket, read, offsets } = await followed();
  const error = { code: -32003, message: "No.", data: { code: "forbidden" } };
  await answer(socket, { error });
  live(socket, 11);
  expect(read()).toMatchObject({ isLoading: false, error: { code: "forbidden" } });
  expect(offsets()).toEqual(["11"]);
});

it("keeps the newest messages only", async () => {
  const { socket, offsets } = await followed({ most: 2 });
  await answer(socket, { result: { messages: [saved(10)], position: "e:10" } });
  for (const offset of [11, 12]) live(socket, offset);
  expect(offsets()).toEqual(["11", "12"]);
});
