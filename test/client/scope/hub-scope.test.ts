// A connection to a whole hub: its joined rooms, and that each is joined again from the client's position in it.

import { describe, expect, it, vi } from "vitest";
import type { HubConnection } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { advance, outcomeOf, type FakeServer, type FakeSocket } from "../server.ts";
import { connected, greet, HELLO, reconnect as reconnectAt } from "../viewing.ts";

interface Setting {
  readonly server: FakeServer;
  readonly client: HubConnection<TestHub>;
}

async function connectedClient(): Promise<Setting> {
  const { server, hub: client } = await connected();
  return { server, client };
}

async function clientInRoom(room: `group:${string}`, position: string): Promise<Setting> {
  const { server, client } = await connectedClient();
  const joining = client.join(room);
  await answer(server.socket, { position, recovered: false, replayed: 0 });
  await joining;
  return { server, client };
}

/** Responds to the last call. */
async function answer(socket: FakeSocket, result: unknown): Promise<void> {
  await advance();
  socket.deliver({ id: socket.sentMessages.at(-1)!.id!, result });
  await advance();
}

const reconnect = (server: FakeServer): Promise<void> => reconnectAt({ server });

/** The text of the message is its position. */
const publish = (socket: FakeSocket, room: string, position: string) =>
  socket.deliver({ method: "said", params: ["bob", position], room, position });

function collectReceived({ client }: Setting): string[] {
  const received: string[] = [];
  client.on("said", (_user, text) => received.push(text));
  return received;
}

it("goes to the hub's own address, and is ready without a room", async () => {
  const { server, client } = await connectedClient();
  expect(server.socket.url.pathname).toBe("/hubs/test/rpc");
  expect(server.socket.query).toEqual({ access_token: "t", arrays: "1" });
  expect(await client.ready).toEqual(HELLO);
});

it("joins from where the application stands, and knows where it is then", async () => {
  const setting = await connectedClient();
  const { server, client } = setting;
  const received = collectReceived(setting);
  const joining = client.join("group:a", "e:5");
  await advance();
  expect(server.socket.sentMessages.at(-1)).toMatchObject({
    method: "$/join",
    params: [{ room: "group:a", since: "e:5" }],
  });
  publish(server.socket, "group:a", "e:6");
  publish(server.socket, "group:a", "e:8");
  await answer(server.socket, { position: "e:7", recovered: true, replayed: 1 });
  expect(await joining).toEqual({ position: "e:7", recovered: true, replayed: 1 });
  expect(received).toEqual(["e:6", "e:8"]);
  expect(client.positionOf("group:a")).toBe("e:8");
});

it("joins its rooms again before calls that waited, and says how each stands", async () => {
  const setting = await clientInRoom("group:a", "e:1");
  const { server, client } = setting;
  const joining = client.join("order:7");
  await answer(server.socket, { position: "f:3", recovered: false, replayed: 0 });
  await joining;
  const log: object[] = [];
  client.onRecovered((recovered) => log.push(recovered));
  client.onReload((reload) => log.push({ reload }));
  publish(server.socket, "group:a", "e:2");
  server.socket.end();
  await advance();
  void outcomeOf(client.invoke.say("waits"));
  await advance(500);
  await greet({ server });
  const [resume, waited] = server.socket.sentMessages;
  expect(resume).toMatchObject({
    method: "$/resume",
    params: [{ rooms: { "group:a": "e:2", "order:7": "f:3" } }],
  });
  expect(waited!.method).toBe("say");
  const received = collectReceived(setting);
  for (const position of ["e:2", "e:3"]) publish(server.socket, "group:a", position);
  server.socket.deliver({
    id: resume!.id!,
    result: {
      "group:a": { position: "e:3", recovered: true, replayed: 1 },
      "order:7": { position: "g:0", recovered: false, replayed: 0 },
    },
  });
  await advance();
  expect(received).toEqual(["e:3"]);
  expect(log).toEqual([{ room: "group:a", replayed: 1 }, { reload: { room: "order:7" } }]);
  expect(client.positionOf("order:7")).toBe("g:0");
});

it("knows a room by any spelling of its name", async () => {
  const { server, client } = await clientInRoom("group:e\u0301", "e:1");
  publish(server.socket, "group:\u00e9", "e:5");
  expect(client.positionOf("group:e\u0301")).toBe("e:5");
  await reconnect(server);
  expect(server.socket.sentMessages).toMatchObject([
    { params: [{ rooms: { "group:\u00e9": "e:5" } }] },
  ]);
});

it("gives up a room that does not let it in again, and says so once", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const errors: string[] = [];
  client.onError(({ code, message }) => errors.push(`${code} ${message}`));
  await reconnect(server);
  const refused = { error: { code: "forbidden", message: "Not for you." } };
  await answer(server.socket, { "group:a": refused });
  await reconnect(server);
  expect(errors.filter((error) => error.startsWith("forbidden"))).toEqual([
    "forbidden group:a: Not for you.",
  ]);
  expect(server.socket.sentMessages).toEqual([]);
  expect(client.positionOf("group:a")).toBeUndefined();
});

it("does not come back to a room that it left before the join was answered", async () => {
  const { server, client } = await connectedClient();
  const { socket } = server;
  const changes = [client.join("group:a"), client.leave("group:a")];
  await advance();
  const [join, leave] = socket.sentMessages;
  socket.deliver({ id: join!.id!, result: { position: "e:5", recovered: false, replayed: 0 } });
  await advance();
  socket.deliver({ id: leave!.id!, result: null });
  await Promise.all(changes);
  expect(client.positionOf("group:a")).toBeUndefined();
  await reconnect(server);
  expect(server.socket.sentMessages).toEqual([]);
});

describe("a room that cannot be resumed for now", () => {
  const RESUMED = { position: "e:1", recovered: true, replayed: 0 };
  const resumes = ({ server }: Setting) =>
    server.socket.sentMessages.filter(({ method }) => method === "$/resume");
  const refuse = (socket: FakeSocket, code: string) =>
    answer(socket, { "group:a": { error: { code, message: "Try again." } } });

  async function clientInTwoRooms(): Promise<Setting> {
    const setting = await clientInRoom("group:a", "e:1");
    const joining = setting.client.join("group:b");
    await answer(setting.server.socket, RESUMED);
    await joining;
    return setting;
  }

  it.each(["unavailable", "rate_limited", "busy", "timed_out", "internal"])(
    "is resumed again after a pause that grows (%s)",
    async (code) => {
      const setting = await clientInTwoRooms();
      const { server, client } = setting;
      const events: unknown[] = [];
      client.onLeft((left) => events.push(left));
      client.onRecovered(({ room }) => events.push(room));
      client.onError((error) => error.code === code && events.push(error.message));
      await reconnect(server);
      const error = { code, message: "Try again." };
      await answer(server.socket, { "group:a": { error }, "group:b": RESUMED });
      await advance(500);
      await refuse(server.socket, code);
      await advance(900);
      expect(resumes(setting)).toHaveLength(2);
      await advance(100);
      expect(resumes(setting).at(-1)!.params).toEqual([{ rooms: { "group:a": "e:1" } }]);
      await answer(server.socket, { "group:a": RESUMED });
      await advance(10_000);
      const refusal = "group:a: Try again.";
      expect(events).toEqual([refusal, "group:b", refusal, "group:a"]);
      expect(resumes(setting)).toHaveLength(3);
    },
  );

  it("is resumed again where the whole request was refused", async () => {
    const setting = await clientInTwoRooms();
    const { server } = setting;
    await reconnect(server);
    const { id, params } = resumes(setting)[0]!;
    const error = { code: -32005, message: "Slower.", data: { code: "rate_limited" } };
    server.socket.deliver({ id: id!, error });
    await advance(500);
    expect(resumes(setting).map((resume) => resume.params)).toEqual([params, params]);
  });

  it("is resumed again where it did not take the user's state", async () => {
    const setting = await clientInTwoRooms();
    const { server, client } = setting;
    void outcomeOf(client.track("group:a", { mood: "fine" }));
    await answer(server.socket, null);
    await reconnect(server);
    await answer(server.socket, { "group:a": RESUMED, "group:b": RESUMED });
    const error = { code: -32005, message: "Slower.", data: { code: "rate_limited" } };
    server.socket.deliver({ id: server.socket.sentMessages.at(-1)!.id!, error });
    await advance(500);
    await answer(server.socket, { "group:a": RESUMED });
    expect(server.socket.sentMessages.map(({ method }) => method)).toEqual([
      ...["$/resume", "$/track", "$/resume", "$/track"],
    ]);
  });

  it("is resumed once after another loss, and no more after a leave", async () => {
    const setting = await clientInTwoRooms();
    const { server, client } = setting;
    await reconnect(server);
    await refuse(server.socket, "unavailable");
    await reconnect(server);
    await advance(10_000);
    expect(resumes(setting)).toHaveLength(1);
    await refuse(server.socket, "unavailable");
    void outcomeOf(client.leave("group:a"));
    await advance(10_000);
    expect(resumes(setting)).toHaveLength(1);
  });

  it("leaves no timer after close", async () => {
    const { server, client } = await clientInRoom("group:a", "e:1");
    await reconnect(server);
    await refuse(server.socket, "unavailable");
    client.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is no error where the client closes while it comes back", async () => {
    const { server, client } = await clientInRoom("group:a", "e:1");
    await reconnect(server);
    const events: unknown[] = [];
    client.onError(({ code }) => events.push(code));
    client.onLeft((left) => events.push(left));
    client.close();
    await advance();
    expect(events).toEqual([]);
  });
});

it("gives up all rooms of a request that is refused for good", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const left: unknown[] = [];
  client.onLeft((room) => left.push(room));
  await reconnect(server);
  const { id } = server.socket.sentMessages.at(-1)!;
  const error = { code: -32000, message: "Too many.", data: { code: "too_many_groups" } };
  server.socket.deliver({ id: id!, error });
  await advance(10_000);
  expect(left).toEqual([{ room: "group:a", reason: "too_many_groups" }]);
  expect(server.socket.sentMessages).toHaveLength(1);
});

it("does not come back to a room that it left, nor to one that hub code had put it into", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const leaving = client.leave("group:a");
  await answer(server.socket, null);
  await leaving;
  publish(server.socket, "group:b", "e:4");
  expect(client.positionOf("group:b")).toBe("e:4");
  await reconnect(server);
  expect(server.socket.sentMessages).toEqual([]);
  expect(client.positionOf("group:b")).toBeUndefined();
});

it("resumes where an interrupted resume began, though messages overtook its answer", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const events: unknown[] = [];
  client.onRecovered(() => events.push("recovered"));
  client.onReload(() => events.push("reload"));
  client.onMessage(({ position }) => events.push(position));
  await reconnect(server);
  publish(server.socket, "group:a", "f:7");
  await reconnect(server);
  expect(server.socket.sentMessages).toMatchObject([{ params: [{ rooms: { "group:a": "e:1" } }] }]);
  publish(server.socket, "group:a", "f:7");
  await answer(server.socket, { "group:a": { position: "f:7", recovered: false, replayed: 0 } });
  expect(events).toEqual(["f:7", "reload"]);
  await reconnect(server);
  expect(server.socket.sentMessages).toMatchObject([{ params: [{ rooms: { "group:a": "f:7" } }] }]);
});

it("takes no notice of a resume of a room that it left since", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const events: unknown[] = [];
  client.onRecovered(() => events.push("recovered"));
  await reconnect(server);
  const { id } = server.socket.sentMessages.at(-1)!;
  void outcomeOf(client.leave("group:a"));
  void outcomeOf(client.join("group:a"));
  const result = { "group:a": { position: "e:5", recovered: true, replayed: 4 } };
  server.socket.deliver({ id: id!, result });
  await advance();
  expect([events, client.positionOf("group:a")]).toEqual([[], undefined]);
});

it("asks again where it was lost while it came back", async () => {
  const { server } = await clientInRoom("group:a", "e:1");
  await reconnect(server);
  await reconnect(server);
  expect(server.socket.sentMessages).toMatchObject([
    { method: "$/resume", params: [{ rooms: { "group:a": "e:1" } }] },
  ]);
});

it("shows again what its user showed in a room", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const tracking = client.track("group:a", { mood: "fine" });
  await answer(server.socket, null);
  await tracking;
  await reconnect(server);
  await answer(server.socket, { "group:a": { position: "e:1", recovered: true, replayed: 0 } });
  expect(server.socket.sentMessages.at(-1)).toMatchObject({
    method: "$/track",
    params: [{ room: "group:a", state: { mood: "fine" } }],
  });
});

it("asks for many rooms in messages that fit", async () => {
  const { server, client } = await connectedClient();
  for (let i = 0; i < 30; i += 1) {
    const joining = client.join(`group:${i}`);
    // oxlint-disable-next-line no-await-in-loop -- one after another, as an application would
    await answer(server.socket, { position: `e:${i}`, recovered: false, replayed: 0 });
    // oxlint-disable-next-line no-await-in-loop
    await joining;
  }
  await reconnect(server);
  const roomCounts = server.socket.sentMessages.map(
    ({ params }) => Object.keys((params as [{ rooms: object }])[0].rooms).length,
  );
  expect(roomCounts).toEqual([25, 5]);
});

it("a room that a fresh token does not admit is told, and not resumed", async () => {
  const { server, client } = await clientInRoom("group:a", "e:1");
  const joining = client.join("group:b");
  await answer(server.socket, { position: "e:1", recovered: false, replayed: 0 });
  await joining;
  const left: unknown[] = [];
  client.onLeft((room) => left.push(room));
  server.socket.deliver({ method: "$/left", params: { room: "group:a", reason: "forbidden" } });
  expect(left).toEqual([{ room: "group:a", reason: "forbidden" }]);
  expect(client.positionOf("group:a")).toBeUndefined();
  await reconnect(server);
  const resume = server.socket.sentMessages.find(({ method }) => method === "$/resume");
  expect(resume!.params).toEqual([{ rooms: { "group:b": "e:1" } }]);
});
