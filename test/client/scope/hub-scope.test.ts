// A connection to a whole hub: rooms that are joined, heard, and joined again from where the client stands in each.

import { expect, it, onTestFinished, vi } from "vitest";
import { connect, type HubConnection } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { FakeServer, HALF, outcomeOf, pass, type FakeSocket } from "../server.ts";

interface Setting {
  readonly server: FakeServer;
  readonly client: HubConnection<TestHub>;
}

const HELLO = { connectionId: "c-1", userId: "alice", pingSeconds: 15 };
const greet = (socket: FakeSocket) => {
  socket.accept();
  socket.say({ method: "$/connected", params: HELLO });
};

async function connected(): Promise<Setting> {
  vi.useFakeTimers();
  const server = new FakeServer();
  const client = connect<TestHub>("wss://host/hubs/test", {
    token: "t",
    backoff: { random: () => HALF },
    WebSocket: server.WebSocket,
  });
  onTestFinished(() => {
    client.close();
    vi.useRealTimers();
  });
  await pass();
  greet(server.socket);
  await pass();
  return { server, client };
}

async function joined(room: `group:${string}`, position: string): Promise<Setting> {
  const { server, client } = await connected();
  const joining = client.join(room);
  await answer(server.socket, { position, recovered: false, replayed: 0 });
  await joining;
  return { server, client };
}

/** Answers what was asked last. */
async function answer(socket: FakeSocket, result: unknown): Promise<void> {
  await pass();
  socket.say({ id: socket.said.at(-1)!.id!, result });
  await pass();
}

async function comeBack(server: FakeServer): Promise<void> {
  const { socket } = server;
  socket.end();
  // oxlint-disable-next-line no-await-in-loop -- pauses grow with each loss
  while (server.socket === socket) await pass(100);
  greet(server.socket);
  await pass();
}

const say = (socket: FakeSocket, room: string, position: string, text = position) =>
  socket.say({ method: "said", params: ["bob", text], room, position });

function heardBy({ client }: Setting): string[] {
  const heard: string[] = [];
  client.on("said", (_user, text) => heard.push(text));
  return heard;
}

it("goes to the hub's own address, and is ready without a room", async () => {
  const { server, client } = await connected();
  expect(server.socket.url.pathname).toBe("/hubs/test/rpc");
  expect(server.socket.query).toEqual({ access_token: "t", arrays: "1" });
  expect(await client.ready).toEqual(HELLO);
});

it("joins from where the application stands, and knows where it is then", async () => {
  const setting = await connected();
  const { server, client } = setting;
  const heard = heardBy(setting);
  const joining = client.join("group:a", "e:5");
  await pass();
  expect(server.socket.said.at(-1)).toMatchObject({
    method: "$/join",
    params: [{ room: "group:a", since: "e:5" }],
  });
  say(server.socket, "group:a", "e:6");
  say(server.socket, "group:a", "e:8");
  await answer(server.socket, { position: "e:7", recovered: true, replayed: 1 });
  expect(await joining).toEqual({ position: "e:7", recovered: true, replayed: 1 });
  expect(heard).toEqual(["e:6", "e:8"]);
  expect(client.positionOf("group:a")).toBe("e:8");
});

it("joins its rooms again before calls that waited, and says how each stands", async () => {
  const setting = await joined("group:a", "e:1");
  const { server, client } = setting;
  const joining = client.join("order:7");
  await answer(server.socket, { position: "f:3", recovered: false, replayed: 0 });
  await joining;
  const told: object[] = [];
  client.onRecovered((recovered) => told.push(recovered));
  client.onReload((reload) => told.push({ reload }));
  say(server.socket, "group:a", "e:2");
  server.socket.end();
  await pass();
  void outcomeOf(client.invoke.say("waits"));
  await pass(500);
  greet(server.socket);
  await pass();
  const [resume, waited] = server.socket.said;
  expect(resume).toMatchObject({
    method: "$/resume",
    params: [{ rooms: { "group:a": "e:2", "order:7": "f:3" } }],
  });
  expect(waited!.method).toBe("say");
  const heard = heardBy(setting);
  for (const position of ["e:2", "e:3"]) say(server.socket, "group:a", position);
  server.socket.say({
    id: resume!.id!,
    result: {
      "group:a": { position: "e:3", recovered: true, replayed: 1 },
      "order:7": { position: "g:0", recovered: false, replayed: 0 },
    },
  });
  await pass();
  expect(heard).toEqual(["e:3"]);
  expect(told).toEqual([{ room: "group:a", replayed: 1 }, { reload: { room: "order:7" } }]);
  expect(client.positionOf("order:7")).toBe("g:0");
});

it("knows a room by any spelling of its name", async () => {
  const { server, client } = await joined("group:e\u0301", "e:1");
  say(server.socket, "group:\u00e9", "e:5");
  expect(client.positionOf("group:e\u0301")).toBe("e:5");
  await comeBack(server);
  expect(server.socket.said).toMatchObject([{ params: [{ rooms: { "group:\u00e9": "e:5" } }] }]);
});

it("gives up a room that does not let it in again, and says so once", async () => {
  const { server, client } = await joined("group:a", "e:1");
  const errors: string[] = [];
  client.onError(({ code, message }) => errors.push(`${code} ${message}`));
  await comeBack(server);
  const refused = { error: { code: "forbidden", message: "Not for you." } };
  await answer(server.socket, { "group:a": refused });
  await comeBack(server);
  expect(errors.filter((error) => error.startsWith("forbidden"))).toEqual([
    "forbidden group:a: Not for you.",
  ]);
  expect(server.socket.said).toEqual([]);
  expect(client.positionOf("group:a")).toBeUndefined();
});

it("does not come back to a room that it left, nor to one that hub code had put it into", async () => {
  const { server, client } = await joined("group:a", "e:1");
  const leaving = client.leave("group:a");
  await answer(server.socket, null);
  await leaving;
  say(server.socket, "group:b", "e:4");
  expect(client.positionOf("group:b")).toBe("e:4");
  await comeBack(server);
  expect(server.socket.said).toEqual([]);
  expect(client.positionOf("group:b")).toBeUndefined();
});

it("asks again where it was lost while it came back", async () => {
  const { server } = await joined("group:a", "e:1");
  await comeBack(server);
  await comeBack(server);
  expect(server.socket.said).toMatchObject([
    { method: "$/resume", params: [{ rooms: { "group:a": "e:1" } }] },
  ]);
});

it("shows again what its user showed in a room", async () => {
  const { server, client } = await joined("group:a", "e:1");
  const tracking = client.track("group:a", { mood: "fine" });
  await answer(server.socket, null);
  await tracking;
  await comeBack(server);
  await answer(server.socket, { "group:a": { position: "e:1", recovered: true, replayed: 0 } });
  expect(server.socket.said.at(-1)).toMatchObject({
    method: "$/track",
    params: [{ room: "group:a", state: { mood: "fine" } }],
  });
});

it("asks for many rooms in messages that fit", async () => {
  const { server, client } = await connected();
  for (let i = 0; i < 30; i += 1) {
    const joining = client.join(`group:${i}`);
    // oxlint-disable-next-line no-await-in-loop -- one after another, as an application would
    await answer(server.socket, { position: `e:${i}`, recovered: false, replayed: 0 });
    // oxlint-disable-next-line no-await-in-loop
    await joining;
  }
  await comeBack(server);
  const asked = server.socket.said.map(
    ({ params }) => Object.keys((params as [{ rooms: object }])[0].rooms).length,
  );
  expect(asked).toEqual([25, 5]);
});

it("a room that a fresh token does not admit is told, and not resumed", async () => {
  const { server, client } = await joined("group:a", "e:1");
  const joining = client.join("group:b");
  await answer(server.socket, { position: "e:1", recovered: false, replayed: 0 });
  await joining;
  const left: unknown[] = [];
  client.onLeft((room) => left.push(room));
  server.socket.say({ method: "$/left", params: { room: "group:a", reason: "forbidden" } });
  expect(left).toEqual([{ room: "group:a", reason: "forbidden" }]);
  expect(client.positionOf("group:a")).toBeUndefined();
  await comeBack(server);
  const resume = server.socket.said.find(({ method }) => method === "$/resume");
  expect(resume!.params).toEqual([{ rooms: { "group:b": "e:1" } }]);
});
