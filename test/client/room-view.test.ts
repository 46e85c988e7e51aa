// Rooms on the socket of a whole hub, each used like a connection of its own.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { roomOf } from "../../src/client/index.ts";
import { DEFAULTS } from "../../src/client/model/client-defaults.ts";
import { advance, HALF, outcomeOf } from "./server.ts";
import {
  answer,
  connected,
  connecting,
  greet,
  joined,
  JOINED,
  LOBBY,
  reconnect,
  sent,
  type Setting,
} from "./viewing.ts";

describe("a room on the hub's socket", () => {
  it("joins once the hub is connected, and is connected then", async () => {
    const setting = await connecting();
    const view = roomOf(setting.hub, LOBBY, { since: "e:7" });
    expect(view.state.status).toBe("connecting");
    await greet(setting);
    expect(sent(setting, "$/join").map(({ params }) => params)).toEqual([
      [{ room: LOBBY, since: "e:7" }],
    ]);
    await answer(setting.server.socket, "$/join", { ...JOINED, recovered: true, replayed: 3 });
    expect(view.state.status).toBe("connected");
    expect(await view.ready).toEqual({
      connectionId: "c-1",
      userId: "alice",
      room: LOBBY,
      ...{ position: "e:10", recovered: true, replayed: 3 },
    });
    expect(view.position).toBe("e:10");
  });

  it("gives handlers and listeners its own messages, and those outside of rooms", async () => {
    const setting = await connected();
    const [lobby, help] = [await joined(setting), await joined(setting, "group:help")];
    const received: string[] = [];
    lobby.on("said", (_user, text) => received.push(`lobby ${text}`));
    help.on("said", (_user, text) => received.push(`help ${text}`));
    lobby.onMessage(({ position = "none" }) => received.push(`message ${position}`));
    const said = (text: string, place: object) =>
      setting.server.socket.deliver({ method: "said", params: ["bob", text], ...place });
    said("a", { room: LOBBY, position: "e:11" });
    said("b", { room: "group:help", position: "e:12" });
    said("c", {});
    expect(received).toEqual([
      "lobby a",
      "message e:11",
      "help b",
      "lobby c",
      "help c",
      "message none",
    ]);
  });

  it("closes with the error of a refused join, and does not join again", async () => {
    const setting = await connected();
    const view = roomOf(setting.hub, LOBBY);
    const ready = outcomeOf(view.ready);
    const refused = { code: "forbidden", action: "Look at the policies." };
    await answer(setting.server.socket, "$/join", refused);
    expect(view.state).toMatchObject({ status: "closed", error: refused });
    expect(await ready).toEqual({ code: "forbidden" });
    await reconnect(setting);
    expect(sent(setting, "$/join")).toEqual([]);
    expect(setting.hub.state.status).toBe("connected");
  });

  it("repeats a join that a loss interrupts", async () => {
    const setting = await connected();
    const view = roomOf(setting.hub, LOBBY);
    await advance();
    await reconnect(setting);
    expect(sent(setting, "$/join")).toHaveLength(1);
    await answer(setting.server.socket, "$/join", JOINED);
    expect(view.state.status).toBe("connected");
  });

  it("repeats a join that is refused for now, until its view closes", async () => {
    const setting = await connected();
    const view = roomOf(setting.hub, LOBBY);
    const errors: string[] = [];
    view.onError(({ code }) => errors.push(code));
    await answer(setting.server.socket, "$/join", { code: "rate_limited" });
    expect(view.state.status).toBe("connecting");
    await advance(1_000);
    await answer(setting.server.socket, "$/join", JOINED);
    expect([view.state.status, errors]).toEqual(["connected", ["rate_limited"]]);
    const other = roomOf(setting.hub, "group:help");
    await answer(setting.server.socket, "$/join", { code: "unavailable" });
    other.close();
    await advance(10_000);
    expect(sent(setting, "$/join")).toHaveLength(3);
    expect(sent(setting, "$/leave")).toEqual([]);
  });

  it("joins once after a loss in the pause before another attempt", async () => {
    const setting = await connected();
    const view = roomOf(setting.hub, LOBBY);
    await answer(setting.server.socket, "$/join", { code: "unavailable" });
    await reconnect(setting);
    await advance(10_000);
    expect(sent(setting, "$/join")).toHaveLength(1);
    await answer(setting.server.socket, "$/join", JOINED);
    expect(view.state.status).toBe("connected");
    setting.hub.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("says after a loss whether messages are missing", async () => {
    const setting = await connected();
    const view = await joined(setting);
    const events: string[] = [];
    view.onState(({ status }) => events.push(status));
    view.onRecovered(({ replayed }) => events.push(`recovered ${replayed}`));
    view.onReload(() => events.push("reload"));
    view.onConnected(({ recovered }) => events.push(`greeted ${recovered}`));
    for (const recovered of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- one loss after another
      await reconnect(setting);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await answer(setting.server.socket, "$/resume", {
        [LOBBY]: { position: "e:12", recovered, replayed: 2 },
      });
    }
    expect(events.filter((event) => event !== "connecting")).toEqual([
      "reconnecting",
      "recovered 2",
      "connected",
      "greeted true",
      "reconnecting",
      "reload",
      "connected",
      "greeted false",
    ]);
  });

  it.each(["onState", "onRecovered"] as const)("stays closed where %s closes it", async (event) => {
    const setting = await connected();
    const view = await joined(setting);
    const statuses: string[] = [];
    await reconnect(setting);
    view.onState(({ status }) => statuses.push(status));
    view.onConnected(() => statuses.push("greeted"));
    view[event](() => view.close());
    const resumed = { position: "e:12", recovered: true, replayed: 0 };
    await answer(setting.server.socket, "$/resume", { [LOBBY]: resumed });
    expect(statuses.at(-1)).toBe("closed");
    expect(view.state.status).toBe("closed");
    await answer(setting.server.socket, "$/leave", {});
  });

  it("stays closed where a listener of another room closes it", async () => {
    const setting = await connected();
    const [lobby, help] = [await joined(setting), await joined(setting, "group:help")];
    lobby.onState(() => help.close());
    setting.server.socket.end();
    expect(help.state.status).toBe("closed");
  });

  it("keeps nothing of a handler that has ended, and takes none once it is closed", async () => {
    const setting = await connected();
    const view = await joined(setting);
    const ends = vi.fn<() => void>();
    const on = vi.spyOn(setting.hub, "on").mockReturnValue(ends);
    for (let mounts = 0; mounts < 3; mounts += 1) view.on("said", () => {})();
    expect(ends).toHaveBeenCalledTimes(3);
    view.close();
    view.on("said", () => {})();
    expect([ends.mock.calls.length, on.mock.calls.length]).toEqual([3, 3]);
    await answer(setting.server.socket, "$/leave", {});
  });

  it("is reconnecting until its room can be resumed", async () => {
    const setting = await connected();
    const view = await joined(setting);
    await reconnect(setting);
    const error = { code: "unavailable", message: "Not now." };
    await answer(setting.server.socket, "$/resume", { [LOBBY]: { error } });
    expect([setting.hub.state.status, view.state.status]).toEqual(["connected", "reconnecting"]);
    expect(view.lastError).toMatchObject({ code: "unavailable" });
    await advance(500);
    await answer(setting.server.socket, "$/resume", { [LOBBY]: { ...JOINED, recovered: true } });
    expect(view.state.status).toBe("connected");
  });

  it.each(["$/left", "a refused return"])("closes with the reason after %s", async (how) => {
    const setting = await connected();
    const view = await joined(setting);
    const left: string[] = [];
    view.onLeft(({ reason }) => left.push(reason));
    if (how === "$/left") {
      setting.server.socket.deliver({ method: how, params: { room: LOBBY, reason: "forbidden" } });
    } else {
      await reconnect(setting);
      const error = { code: "forbidden", message: "No." };
      await answer(setting.server.socket, "$/resume", { [LOBBY]: { error } });
    }
    expect(left).toEqual(["forbidden"]);
    expect(view.state).toMatchObject({ status: "closed", error: { code: "forbidden" } });
    expect(sent(setting, "$/leave")).toEqual([]);
  });

  it("leaves with its last view, and lets the hub's connection be", async () => {
    const setting = await connected();
    const [one, two] = [await joined(setting), await joined(setting)];
    one.close();
    await advance();
    expect(sent(setting, "$/leave")).toEqual([]);
    two.close();
    await advance();
    expect(sent(setting, "$/leave").map(({ params }) => params)).toEqual([[{ room: LOBBY }]]);
    expect(setting.hub.state.status).toBe("connected");
  });

  it("leaves after a join that is under way when it closes", async () => {
    const setting = await connected();
    roomOf(setting.hub, LOBBY).close();
    await advance();
    expect(sent(setting, "$/leave")).toEqual([]);
    await answer(setting.server.socket, "$/join", JOINED);
    expect(sent(setting, "$/leave")).toHaveLength(1);
  });

  it("tracks and untracks in the order of the calls, once it is joined", async () => {
    const setting = await connected();
    const view = roomOf(setting.hub, LOBBY);
    for (const call of [view.track({ typing: true } as never), view.untrack()])
      void outcomeOf(call);
    expect(sent(setting, "$/untrack")).toEqual([]);
    await answer(setting.server.socket, "$/join", JOINED);
    const methods = setting.server.socket.sentMessages.map(({ method }) => method);
    expect(methods).toEqual(["$/join", "$/track", "$/untrack"]);
  });

  it("closes with the hub's connection", async () => {
    const setting = await connected();
    const view = await joined(setting);
    setting.hub.close();
    expect(view.state.status).toBe("closed");
    expect(roomOf(setting.hub, LOBBY).state.status).toBe("closed");
  });
});

describe("the presence of a room on the hub's socket", () => {
  const BOB = { userId: "bob", since: 1, state: null };
  const page = (...members: object[]) => ({
    ...{ users: members.length, connections: members.length, members, more: false },
  });
  const change = ({ server }: Setting, params: object) =>
    server.socket.deliver({ method: "$/presence", params, room: LOBBY, position: "e:11" });

  it("is loaded when it is first read, and kept up to date", async () => {
    const setting = await connected();
    const view = await joined(setting);
    expect(sent(setting, "$/presence")).toEqual([]);
    const users: number[] = [];
    view.onPresence((presence) => users.push(presence.users));
    await answer(setting.server.socket, "$/presence", page(BOB));
    change(setting, { users: 2, joined: [{ userId: "carol", since: 2 }] });
    expect(users).toEqual([1, 2]);
    expect([...view.presence.members.keys()]).toEqual(["bob", "carol"]);
  });

  it("keeps changes that come before an older answer", async () => {
    const setting = await connected();
    const view = await joined(setting);
    view.onPresence(() => {});
    await advance();
    change(setting, { users: 1, left: ["bob"], joined: [{ userId: "carol", since: 2 }] });
    await answer(setting.server.socket, "$/presence", page(BOB));
    expect([...view.presence.members.keys()]).toEqual(["carol"]);
  });

  it("is loaded again after a refusal that may pass, and not after another", async () => {
    const setting = await connected();
    const view = await joined(setting);
    view.onPresence(() => {});
    await answer(setting.server.socket, "$/presence", { code: "rate_limited" });
    await advance(1_000);
    await answer(setting.server.socket, "$/presence", { code: "unavailable" });
    await advance(2_000);
    await answer(setting.server.socket, "$/presence", { code: "forbidden" });
    await advance(10_000);
    expect(sent(setting, "$/presence")).toHaveLength(3);
    expect(view.presence.users).toBe(0);
  });

  it("is not loaded again once its view is closed", async () => {
    const setting = await connected();
    const view = await joined(setting);
    view.onPresence(() => {});
    await answer(setting.server.socket, "$/presence", { code: "rate_limited" });
    view.close();
    await advance(10_000);
    expect(sent(setting, "$/presence")).toHaveLength(1);
    setting.hub.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of many rooms is loaded by eight requests at a time, of which none passes another", async () => {
    const random = vi.spyOn(DEFAULTS.backoff, "random").mockReturnValue(HALF);
    onTestFinished(() => random.mockRestore());
    const setting = await connected();
    const { socket } = setting.server;
    const views = [];
    for (let n = 0; n < 10; n += 1)
      // oxlint-disable-next-line no-await-in-loop -- one after another
      views.push(await joined(setting, `group:${n}`));
    for (const view of views) view.onPresence(() => {});
    await advance();
    const requests = () => sent(setting, "$/presence");
    const rooms = () => requests().map(({ params }) => (params as [{ room: string }])[0].room);
    expect(rooms()).toEqual(Array.from({ length: 8 }, (_, n) => `group:${n}`));
    const [first, second, third] = requests();
    const refusal = (code: string) => ({ code: -32000, message: "No.", data: { code } });
    socket.deliver({ id: first!.id!, error: refusal("rate_limited") });
    await advance();
    expect(requests()).toHaveLength(8);
    socket.deliver({ id: second!.id!, error: refusal("unavailable") });
    socket.deliver({ id: third!.id!, result: page(BOB) });
    await advance();
    expect(rooms().slice(8)).toEqual(["group:8", "group:9"]);
    await advance(1_000);
    expect(rooms().slice(10)).toContain("group:0");
  });

  it("is loaded again after a loss", async () => {
    const setting = await connected();
    const view = await joined(setting);
    view.onPresence(() => {});
    await answer(setting.server.socket, "$/presence", page(BOB));
    await reconnect(setting);
    const recovered = { position: "e:12", recovered: true, replayed: 0 };
    await answer(setting.server.socket, "$/resume", { [LOBBY]: recovered });
    await answer(setting.server.socket, "$/presence", page());
    expect(view.presence.members.size).toBe(0);
  });
});
