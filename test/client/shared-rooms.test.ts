// Several views of one room on the hub's socket, which receives each message once for all of them.

import { expect, it } from "vitest";
import { roomOf, type RoomViewOptions } from "../../src/client/index.ts";
import type { TestHub } from "./hubs.ts";
import { advance } from "./server.ts";
import {
  answer,
  connected,
  greet,
  joined,
  JOINED,
  LOBBY,
  reconnect,
  sent,
  type Setting,
} from "./viewing.ts";

const RECOVERED = { position: "e:10", recovered: true, replayed: 0 };

const publish = ({ server }: Setting, position: string) =>
  server.socket.deliver({ method: "said", params: ["bob", "hi"], room: LOBBY, position });

/** A view, and what its greetings and events say about missed messages. */
function watched({ hub }: Setting, options: RoomViewOptions<TestHub> = {}) {
  const view = roomOf(hub, LOBBY, options);
  const log: string[] = [];
  view.onConnected(({ recovered }) => log.push(`connected ${recovered}`));
  view.onRecovered(() => log.push("recovered"));
  view.onReload(() => log.push("reload"));
  return { view, log };
}

it.each([
  ["before the connection's", "e:7", false],
  ["the connection's", "e:10", true],
  ["unknown", undefined, false],
])("a second view whose position is %s learns whether it has all", async (_, since, recovered) => {
  const setting = await connected();
  await joined(setting);
  const { log } = watched(setting, { since });
  await answer(setting.server.socket, "$/join", RECOVERED);
  expect(log).toEqual([`connected ${recovered}`]);
});

it("a view whose replay comes after the join of another view learns that it lacks messages", async () => {
  const setting = await connected();
  const [first, second] = [watched(setting), watched(setting, { since: "e:7" })];
  await advance();
  const [joinOfFirst, joinOfSecond] = sent(setting, "$/join");
  setting.server.socket.deliver({ id: joinOfFirst!.id!, result: JOINED });
  setting.server.socket.deliver({ id: joinOfSecond!.id!, result: { ...RECOVERED, replayed: 3 } });
  await advance();
  expect([first.log, second.log]).toEqual([["connected false"], ["connected false"]]);
});

it("a join after an interrupted replay goes on where that broke off", async () => {
  const setting = await connected();
  const { view, log } = watched(setting, { since: "e:7" });
  const received: (string | undefined)[] = [];
  view.onMessage(({ position }) => received.push(position));
  await advance();
  publish(setting, "e:8");
  await reconnect(setting);
  expect(sent(setting, "$/join")).toMatchObject([{ params: [{ since: "e:8" }] }]);
  publish(setting, "e:9");
  await answer(setting.server.socket, "$/join", RECOVERED);
  expect([received, log]).toEqual([["e:8", "e:9"], ["connected true"]]);
});

it("a view that is not joined takes no events of the connection's own return", async () => {
  const setting = await connected();
  await joined(setting);
  setting.server.socket.end();
  await advance();
  const { log } = watched(setting);
  await advance(1_000);
  await greet(setting);
  await answer(setting.server.socket, "$/resume", { [LOBBY]: RECOVERED });
  expect(log).toEqual([]);
  await answer(setting.server.socket, "$/join", RECOVERED);
  expect(log).toEqual(["connected false"]);
});

it("the last view leaves the room, also if its own join was refused", async () => {
  const setting = await connected();
  const first = await joined(setting);
  const second = roomOf(setting.hub, LOBBY);
  await answer(setting.server.socket, "$/join", { code: "rate_limited" });
  first.close();
  await advance();
  second.close();
  await advance(1_000);
  expect(sent(setting, "$/leave")).toHaveLength(1);
});

it("a leave that is refused for now is repeated, unless the room is viewed again", async () => {
  const setting = await connected();
  const view = await joined(setting);
  view.close();
  await answer(setting.server.socket, "$/leave", { code: "rate_limited" });
  await advance(1_000);
  await answer(setting.server.socket, "$/leave", { code: "rate_limited" });
  expect(sent(setting, "$/leave")).toHaveLength(2);
  roomOf(setting.hub, LOBBY);
  await advance(10_000);
  expect(sent(setting, "$/leave")).toHaveLength(2);
});

it("a view is connecting, and not reconnecting, until it has been connected", async () => {
  const setting = await connected();
  const { view } = watched(setting);
  const states: string[] = [];
  view.onState(({ status }) => states.push(status));
  await reconnect(setting);
  await answer(setting.server.socket, "$/join", JOINED);
  setting.server.socket.end();
  await advance();
  expect(states).toEqual(["connecting", "connected", "reconnecting"]);
});

it("a view whose join overtakes the answer to the connection's resume is connected once", async () => {
  const setting = await connected();
  const first = await joined(setting);
  setting.server.socket.end();
  await advance();
  const { view, log } = watched(setting);
  const states: string[] = [];
  for (const one of [first, view]) one.onState(({ status }) => states.push(status));
  await advance(1_000);
  await greet(setting);
  await answer(setting.server.socket, "$/join", RECOVERED);
  await answer(setting.server.socket, "$/resume", { [LOBBY]: RECOVERED });
  expect(log).toEqual(["connected false", "recovered"]);
  expect(states.filter((status) => status === "connected")).toHaveLength(2);
});
