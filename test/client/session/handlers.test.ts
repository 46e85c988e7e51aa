// Handlers of client methods: which of them a message reaches, also where components and rooms share one function.

import { expect, it, onTestFinished } from "vitest";
import type { HandlersOf } from "../../../src/client/model/client-handlers.ts";
import { Handlers } from "../../../src/client/session/handlers.ts";
import { hubAt } from "../../../src/components/hub-at.ts";
import { watchHandlers } from "../../../src/components/live-values.ts";
import type { TestHub } from "../hubs.ts";
import { advance, connectedClient, FakeServer, fakeClock } from "../server.ts";

function collecting() {
  const texts: string[] = [];
  return { texts, said: (_user: string, text: string) => void texts.push(text) };
}

it("calls a function of two rooms for the messages of both", () => {
  const handlers = new Handlers(32_768);
  const { texts, said } = collecting();
  handlers.on("said", said, "group:a");
  handlers.on("said", said, "group:b");
  for (const room of ["group:a", "group:b", "group:c"])
    handlers.deliver("said", ["bob", room], room);
  expect(texts).toEqual(["group:a", "group:b"]);
});

it("calls a function once for a message, however often it is registered", () => {
  const { texts, said } = collecting();
  const handlers = new Handlers(32_768, { said });
  for (const room of ["group:a", "group:b", undefined]) handlers.on("said", said, room);
  handlers.deliver("said", ["bob", "in a"], "group:a");
  handlers.deliver("said", ["bob", "to you"]);
  expect(texts).toEqual(["in a", "to you"]);
});

it("calls a function until the last of its registrations has ended", () => {
  const handlers = new Handlers(32_768);
  const { texts, said } = collecting();
  const ends = [handlers.on("said", said), handlers.on("said", said)];
  for (const [at, end] of ends.entries()) {
    handlers.deliver("said", ["bob", `${at}`]);
    end();
  }
  handlers.deliver("said", ["bob", "2"]);
  expect(texts).toEqual(["0", "1"]);
});

it("does not call one that another has removed on the same message", () => {
  const handlers = new Handlers(32_768);
  const { texts, said } = collecting();
  let end = (): void => {};
  handlers.on("said", () => end());
  end = handlers.on("said", said);
  handlers.deliver("said", ["bob", "hello"]);
  expect(texts).toEqual([]);
});

it("asks the first that is left of those registered", async () => {
  const handlers = new Handlers(32_768);
  const end = handlers.on("confirm", () => "first");
  handlers.on("confirm", () => "second");
  const answer = async () => JSON.parse(await handlers.respond("confirm", 1, [])) as object;
  expect(await answer()).toMatchObject({ result: "first" });
  end();
  expect(await answer()).toMatchObject({ result: "second" });
});

it("takes a room's name in any spelling of its characters", async () => {
  const { client, server } = await connectedClient<TestHub>();
  const { texts, said } = collecting();
  client.on("said", said, "group:cafe\u0301");
  const message = { method: "said", params: ["bob", "hello"], room: "group:caf\u00e9" };
  server.socket.deliver({ ...message, position: "e:1" });
  expect(texts).toEqual(["hello"]);
});

it("stay with a component that shares them with one that is gone", async () => {
  fakeClock();
  const { WebSocket, sockets } = new FakeServer();
  const place = { hub: hubAt<TestHub>("wss://host/hubs/test", { token: "t", WebSocket }) };
  const { texts, said } = collecting();
  const handlers: HandlersOf<TestHub> = { said };
  const watched = { ...place, room: "group:lobby" } as const;
  const [first, second] = [watchHandlers(watched, handlers), watchHandlers(watched, handlers)];
  onTestFinished(async () => {
    second();
    await advance();
  });
  await advance();
  sockets[0]!.greet();
  first();
  const message = { method: "said", params: ["bob", "hello"], room: "group:lobby" };
  sockets[0]!.deliver({ ...message, position: "e:11" });
  expect(texts).toEqual(["hello"]);
});

it("answers with an error where the server would not read the result", async () => {
  const handlers = new Handlers(200, { confirm: () => "x".repeat(200) });
  expect(JSON.parse(await handlers.respond("confirm", "s1", []))).toEqual({
    ...{ jsonrpc: "2.0", id: "s1" },
    error: { code: -32000, message: "Message of 239 bytes; the client's messageBytes is 200." },
  });
});
