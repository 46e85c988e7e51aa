// Joins, leaves and states without a connection: the newest counts, also against what listeners do at the greeting.

import { expect, it } from "vitest";
import type { TestHub } from "../hubs.ts";
import { advance, connectedClient, outcomeOf, type SentMessage } from "../server.ts";
import {
  answer,
  connected,
  connecting,
  greet,
  JOINED,
  LOBBY,
  reconnect,
  sent,
  type Setting,
} from "../viewing.ts";

/** A client that is connected, and has joined the lobby. */
async function member(): Promise<Setting> {
  const setting = await connected();
  const joining = setting.hub.join(LOBBY);
  await answer(setting.server.socket, "$/join", JOINED);
  await joining;
  return setting;
}

const moves = (setting: Parameters<typeof sent>[0]) =>
  setting.server.socket.sentMessages
    .map(({ method }) => method)
    .filter((method) => method !== "$/resume");

it("a leave without a connection undoes no join that a listener makes at the greeting", async () => {
  const setting = await member();
  const { hub } = setting;
  hub.onConnected(() => void outcomeOf(hub.join(LOBBY)));
  setting.server.socket.end();
  await advance();
  await hub.leave(LOBBY);
  await advance(1_000);
  await greet(setting);
  expect(moves(setting)).toEqual(["$/join"]);
});

it("a leave without a connection ends the joins that wait, and a later one is sent alone", async () => {
  const setting = await connecting();
  const { hub } = setting;
  const ended = [hub.join(LOBBY), hub.join(LOBBY, "e:1")].map(outcomeOf);
  const other = outcomeOf(hub.join("group:other"));
  await hub.leave(LOBBY);
  expect(await Promise.all(ended)).toEqual([{ code: "cancelled" }, { code: "cancelled" }]);
  const joined = outcomeOf(hub.join(LOBBY, "e:5"));
  await greet(setting);
  const rooms = sent(setting, "$/join").map(({ params }) => (params as object[])[0]);
  expect(rooms).toEqual([{ room: "group:other" }, { room: LOBBY, since: "e:5" }]);
  await answer(setting.server.socket, "$/join", JOINED);
  expect(await joined).toEqual({ value: JOINED });
  setting.server.socket.end();
  expect(await other).toEqual({ code: "interrupted" });
});

it("the answer to a leave leaves the position of a join that followed, and has no answer yet", async () => {
  const setting = await member();
  const { hub, server } = setting;
  void outcomeOf(hub.leave(LOBBY));
  const again = hub.join(LOBBY);
  await advance();
  for (const position of ["e:11", "e:12"])
    server.socket.deliver({ method: "said", params: ["x"], room: LOBBY, position });
  await answer(server.socket, "$/leave", {});
  await answer(server.socket, "$/join", { ...JOINED, position: "e:11" });
  await again;
  expect(hub.positionOf(LOBBY)).toBe("e:12");
  await reconnect(setting);
  expect(sent(setting, "$/resume")).toMatchObject([{ params: [{ rooms: { [LOBBY]: "e:12" } }] }]);
});

it("a room that a listener leaves at the greeting is left after the join that waited", async () => {
  const setting = await connecting();
  const { hub } = setting;
  void outcomeOf(hub.join(LOBBY));
  hub.onConnected(() => void outcomeOf(hub.leave(LOBBY)));
  await greet(setting);
  expect(moves(setting)).toEqual(["$/leave", "$/join"]);
  await answer(setting.server.socket, "$/join", JOINED);
  expect(moves(setting)).toEqual(["$/leave", "$/join", "$/leave"]);
  await answer(setting.server.socket, "$/leave", {});
  expect(hub.positionOf(LOBBY)).toBeUndefined();
  await reconnect(setting);
  expect(sent(setting, "$/resume")).toEqual([]);
});

it.each([
  { result: { position: "e:12", recovered: true, replayed: 2 }, event: "recovered" },
  { result: { position: "f:1", recovered: false, replayed: 0 }, event: "reload" },
])("a join does what a refused resume could not: $event", async ({ result, event }) => {
  const setting = await member();
  const { hub } = setting;
  const events: string[] = [];
  hub.onRecovered(() => events.push("recovered"));
  hub.onReload(() => events.push("reload"));
  await reconnect(setting);
  const refused = { error: { code: "unavailable", message: "Not now." } };
  await answer(setting.server.socket, "$/resume", { [LOBBY]: refused });
  void outcomeOf(hub.join(LOBBY));
  await answer(setting.server.socket, "$/join", result);
  expect(sent(setting, "$/join")).toMatchObject([{ params: [{ room: LOBBY, since: "e:10" }] }]);
  await advance(15_000);
  expect([events, sent(setting, "$/resume").length]).toEqual([[event], 1]);
});

const statesIn = (messages: readonly SentMessage[]) =>
  messages
    .filter(({ method }) => method === "$/track")
    .map(({ params }) => (params as [{ state: unknown }])[0].state);

it("a state that a listener tracks at the greeting counts, and not one that waited", async () => {
  const setting = await member();
  const { hub, server } = setting;
  setting.server.socket.end();
  await advance();
  const track = (state: string) => void outcomeOf(hub.track(LOBBY, state as never));
  track("away");
  hub.onConnected(() => track("back"));
  await advance(1_000);
  await greet(setting);
  expect(statesIn(server.socket.sentMessages)).toEqual(["back", "away"]);
  await answer(server.socket, "$/track", {});
  expect(statesIn(server.socket.sentMessages).at(-1)).toBe("back");
});

it("a room's own connection keeps to that, too", async () => {
  const { server, client } = await connectedClient<TestHub>();
  server.socket.end();
  await advance();
  const track = (state: string) => void outcomeOf(client.track(state as never));
  track("away");
  client.onConnected(() => track("back"));
  await advance(500);
  server.socket.greet();
  await advance();
  expect(statesIn(server.socket.sentMessages)).toEqual(["away", "back", "away"]);
  await answer(server.socket, "$/track", {});
  expect(statesIn(server.socket.sentMessages).at(-1)).toBe("back");
});

it("a state that a room refuses for now after a loss is shown later", async () => {
  const { server, client } = await connectedClient<TestHub>();
  void outcomeOf(client.track("here" as never));
  await answer(server.socket, "$/track", {});
  server.socket.end();
  await advance(500);
  server.socket.greet();
  await answer(server.socket, "$/track", { code: "unavailable" });
  await advance(1_000);
  expect(statesIn(server.socket.sentMessages)).toEqual(["here", "here"]);
  await answer(server.socket, "$/track", { code: "forbidden" });
  await advance(10_000);
  expect(statesIn(server.socket.sentMessages)).toEqual(["here", "here"]);
});
