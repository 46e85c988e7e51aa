// Receivers that answer halfway, late, for ever or not at all, in the real engine: their status counts as soon as it is
// there, and nothing else of the answer does.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startEngine } from "../support/engine.ts";
import { freePort, type Endpoint } from "../support/endpoint.ts";
import { enter, eventually } from "./client.ts";
import { WEBHOOK_SECRET } from "./receiver.ts";

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** Writes without an end, as fast as it is read. */
function pour(response: ServerResponse): void {
  const write = (): void => {
    while (!response.destroyed && response.write("x".repeat(16_384)));
    if (!response.destroyed) response.once("drain", write);
  };
  write();
}

/** Answers whose status is whole, though their body is not. */
const withStatus = (status: number): Record<string, Answer> => ({
  "has a body that stalls": (response) => void response.writeHead(status).write("{"),
  "has a body without an end": (response) => pour(response.writeHead(status)),
  "closes in the body": (response) => {
    response.writeHead(status, { "content-length": 1_000 }).write("{", () => {
      response.socket?.destroy();
    });
  },
  "has a body that is no gzip": (response) =>
    void response.writeHead(status, { "content-encoding": "gzip" }).end("no gzip"),
});

/** Answers without a status that counts. */
const BROKEN: Record<string, Answer> = {
  "closes without an answer": (response) => void response.socket?.destroy(),
  "closes in the status line": (response) => void response.socket?.end("HTTP/1.1 2"),
  "does not speak HTTP": (response) => void response.socket?.end("+OK ready\r\n\r\n"),
  redirects: (response) => void response.writeHead(307, { location: "/elsewhere" }).end(),
  "does not answer": () => {},
};

/** By a room's name: the answer to its first request. */
const answers = new Map<string, Answer>();
interface Received {
  readonly url: string;
  readonly id: string;
  readonly room: string;
  readonly types: readonly string[];
}
const received: Received[] = [];
let endpoint: Endpoint & AsyncDisposable;
let server: Server;

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = JSON.parse(Buffer.concat(chunks).toString());
  const events = [body].flat() as { type: string; data: { room: string } }[];
  const room = events[0]!.data.room.replace("group:", "");
  const earlier = received.filter((one) => one.room === room && one.url === request.url).length;
  const id = `${request.headers["webhook-id"]}`;
  received.push({ url: request.url!, id, room, types: events.map(({ type }) => type) });
  const answer = earlier === 0 ? answers.get(`${request.url} ${room}`) : undefined;
  if (room.startsWith("single") && events.length > 1) response.writeHead(413).end();
  else if (answer) answer(response, request);
  else response.writeHead(204).end();
}

beforeAll(async () => {
  const port = await freePort();
  server = createServer((request, response) => void take(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const [WEBHOOK_URL, WEBHOOK_CONNECT_URL] = ["events", "connect"].map(
    (path) => `http://127.0.0.1:${port}/${path}`,
  ) as [string, string];
  endpoint = await startEngine({ vars: { WEBHOOK_URL, WEBHOOK_CONNECT_URL, WEBHOOK_SECRET } });
});
afterAll(async () => {
  await endpoint[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

let rooms = 0;
const roomWith = (path: string, answer: Answer): string => {
  const room = `hostile${++rooms}`;
  answers.set(`${path} ${room}`, answer);
  return room;
};
const requestsOf = (room: string, url = "/events") =>
  received.filter((one) => one.room === room && one.url === url);

it.each(Object.entries(withStatus(200)))("takes 2xx of one that %s", async (_, answer) => {
  const room = roomWith("/events", answer);
  using client = await enter(endpoint, `chat/group:${room}`, { user: "first" });
  await eventually(async () => requestsOf(room).length > 0, "the first events");
  using other = await enter(endpoint, `chat/group:${room}`, { user: "second" });
  const types = () => requestsOf(room).flatMap((one) => one.types);
  await eventually(async () => types().length >= 4, "the events of the second");
  const ids = requestsOf(room).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(types().toSorted()).toEqual([
    ...["dormouse.connected", "dormouse.connected"],
    ...["dormouse.joined", "dormouse.joined"],
  ]);
  expect([client, other].length).toBe(2);
});

it.each([...Object.entries(BROKEN), ...Object.entries(withStatus(503))])(
  "repeats a request to one that %s",
  async (_, answer) => {
    const room = roomWith("/events", answer);
    using client = await enter(endpoint, `chat/group:${room}`);
    await eventually(async () => requestsOf(room).length >= 2, "the same request again", 40_000);
    const [first, second] = requestsOf(room);
    expect(second).toEqual(first);
    expect(received.filter(({ url }) => url === "/elsewhere")).toEqual([]);
    expect(client).toBeDefined();
  },
);

it("sends events one at a time to one that refuses them together", async () => {
  const room = `single${++rooms}`;
  const enterAs = (user: string) => enter(endpoint, `chat/group:${room}`, { user });
  const clients = await Promise.all(Array.from({ length: 20 }, (_, n) => enterAs(`user${n}`)));
  const taken = () => requestsOf(room).filter(({ types }) => types.length === 1);
  await eventually(async () => taken().length >= 40, "all events");
  const types = taken().map(({ types: [type] }) => type!);
  expect(types.filter((type) => type === "dormouse.joined")).toHaveLength(20);
  expect(new Set(taken().map(({ id }) => id)).size).toBe(40);
  expect(requestsOf(room).length).toBeGreaterThan(40);
  for (const client of clients) client[Symbol.dispose]();
});

const refusalOf = async (room: string) => {
  const token = await endpoint.token("alice");
  const path = `/hubs/chat/groups/${room}?rooms=&access_token=${token}`;
  const response = await fetch(`${endpoint.url}${path}`, {
    headers: { accept: "text/event-stream" },
  });
  await response.body?.cancel();
  return response.headers.get("x-dormouse-error");
};

it.each(Object.entries(withStatus(403)))(
  "refuses a connection by 403 of a connect webhook that %s",
  async (_, answer) => {
    const room = roomWith("/connect", answer);
    expect(await refusalOf(room)).toBe("refused_by_webhook");
  },
);

it.each([...Object.entries(withStatus(200)), ...Object.entries(BROKEN)])(
  "refuses a connection for now where the connect webhook %s",
  async (_, answer) => {
    const room = roomWith("/connect", answer);
    expect(await refusalOf(room)).toBe("webhook_unavailable");
    expect(requestsOf(room, "/connect")).toHaveLength(1);
  },
);
