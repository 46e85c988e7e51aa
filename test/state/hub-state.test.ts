// The state of rooms on the socket of a whole hub, and of connections that were there before.

import { describe, expect, it } from "vitest";
import { connect as connectPlain, roomOf } from "../../src/client/index.ts";
import { connect, type StatefulHubConnection } from "../../src/state/index.ts";
import { stateOf } from "../../src/state/state-of.ts";
import { advance, HALF, outcomeOf, type FakeServer, type FakeSocket } from "../client/server.ts";
import type { AuctionHub } from "./hub.ts";
import {
  answerTo,
  closeAfterTest,
  connectingRoom,
  FIRST,
  greet,
  onFakeClock,
  patch,
  refusalOf,
  runsOf,
  snapshot,
  VASE,
} from "./room.ts";

const HELLO = { connectionId: "c-1", userId: "alice", pingSeconds: 15 };
const JOINED = { position: "e:10", recovered: false, replayed: 0 };

interface HubSetting {
  readonly server: FakeServer;
  readonly hub: StatefulHubConnection<AuctionHub>;
}

async function connectedHub(): Promise<HubSetting> {
  const server = onFakeClock();
  const { WebSocket } = server;
  const options = { token: "t", backoff: { random: () => HALF }, WebSocket };
  const hub = connect<AuctionHub>("wss://host/hubs/auctions", options);
  closeAfterTest(hub);
  await advance();
  await greetHub(server);
  return { server, hub };
}

/** Of `dormouse-hubs/client`, which keeps no states. */
async function connectedPlainHub() {
  const server = onFakeClock();
  const { WebSocket } = server;
  const options = { token: "t", backoff: { random: () => HALF }, WebSocket };
  const hub = connectPlain<AuctionHub>("wss://host/hubs/auctions", options);
  closeAfterTest(hub);
  await advance();
  await greetHub(server);
  return { server, hub };
}

async function greetHub(server: FakeServer): Promise<void> {
  server.socket.accept();
  server.socket.deliver({ method: "$/connected", params: HELLO });
  await advance();
}

/** Answers the newest call of a method. */
async function answer(socket: FakeSocket, method: string, result: object): Promise<void> {
  await advance();
  const call = socket.sentMessages.findLast((sent) => sent.method === method);
  socket.deliver({ id: call?.id, result });
  await advance();
}

describe("the state of rooms on a hub's socket", () => {
  it("has arrived when a join resolves, each room's own", async () => {
    const { server, hub } = await connectedHub();
    const joins = [hub.join(VASE), hub.join("group:ring")];
    await advance();
    server.socket.deliver(snapshot(FIRST, "e:10"));
    server.socket.deliver(snapshot({ price: 7, bids: {} }, "x:3", "group:ring"));
    for (const { id } of server.socket.sentMessages)
      server.socket.deliver({ id: id!, result: JOINED });
    const [vase, ring] = await Promise.all(joins);
    expect([vase?.state?.price, ring?.state?.price]).toEqual([100, 7]);
    server.socket.deliver(patch({ price: 8 }, "x:4", "group:ring"));
    expect([vase?.state?.price, ring?.state?.price]).toEqual([100, 8]);
    expect([hub.room(VASE), stateOf(hub, VASE)]).toEqual([vase, vase]);
  });

  it("names the room in its actions", async () => {
    const { server, hub } = await connectedHub();
    void outcomeOf(hub.room(VASE).run.bid(120));
    await advance();
    expect(runsOf(server.socket)[0]?.params).toMatchObject([{ room: VASE, action: "bid" }]);
  });

  it("begins anew after a leave", async () => {
    const { server, hub } = await connectedHub();
    const before = hub.room(VASE);
    server.socket.deliver(snapshot(FIRST, "e:10"));
    void hub.leave(VASE);
    await answer(server.socket, "$/leave", {});
    expect(hub.room(VASE)).not.toBe(before);
    expect(hub.room(VASE).state).toBeUndefined();
  });

  it("is kept up to date where the room is joined again at once", async () => {
    const { server, hub } = await connectedHub();
    const first = hub.join(VASE);
    await advance();
    server.socket.deliver(snapshot(FIRST, "e:10"));
    await answer(server.socket, "$/join", JOINED);
    const before = await first;
    const leaving = hub.leave(VASE);
    const joining = hub.join(VASE);
    await answer(server.socket, "$/leave", {});
    server.socket.deliver(snapshot({ ...FIRST, price: 200 }, "e:20"));
    await answer(server.socket, "$/join", { ...JOINED, position: "e:20" });
    const [room] = await Promise.all([joining, leaving]);
    server.socket.deliver(patch({ price: 300 }, 21));
    expect([room.state?.price, before.state?.price]).toEqual([300, 100]);
    expect(hub.room(VASE)).toBe(room);
    expect(server.socket.sentMessages.map(({ method }) => method)).toEqual([
      ...["$/join", "$/leave", "$/join"],
    ]);
  });

  it("ends where the server takes the connection out of the room", async () => {
    const { server, hub } = await connectedHub();
    const before = hub.room(VASE);
    server.socket.deliver(snapshot(FIRST, "e:10"));
    const left = { room: VASE, reason: "forbidden" };
    server.socket.deliver({ method: "$/left", params: left });
    expect(hub.room(VASE)).not.toBe(before);
  });
});

describe("a state that is wanted later than the connection", () => {
  const SNAPSHOT = { state: FIRST, position: "e:12" };

  it("is asked for, and joined to the changes that come meanwhile", async () => {
    const server = onFakeClock();
    const { WebSocket } = server;
    const options = { room: VASE, token: "t", WebSocket } as const;
    const plain = connectPlain<AuctionHub>("wss://host/hubs/auctions", options);
    closeAfterTest(plain);
    await advance();
    greet({ server }, { state: { price: 1, bids: {} } });
    const room = stateOf(plain, VASE);
    const { socket } = server;
    for (const offset of [11, 12, 13]) socket.deliver(patch({ price: offset }, offset));
    expect(room.state).toBeUndefined();
    await answer(socket, "$/snapshot", SNAPSHOT);
    expect([room.state?.price, room.position]).toEqual([13, "e:13"]);
    expect(stateOf(plain, VASE)).toBe(room);
  });

  it.each(["a room of a hub", "a view of the room"])(
    "is asked for again after a loss that took the request, by %s",
    async (how) => {
      const { server, hub } = await connectedPlainHub();
      const isView = how === "a view of the room";
      const connection = isView ? roomOf(hub, VASE) : hub;
      if (!isView) void hub.join(VASE);
      await answer(server.socket, "$/join", JOINED);
      const room = stateOf(connection, VASE);
      await advance();
      expect(server.socket.sentMessages.at(-1)!.method).toBe("$/snapshot");
      server.socket.end();
      await advance(500);
      await greetHub(server);
      server.socket.deliver(patch({ price: 11 }, 11));
      const recovered = { position: "e:11", recovered: true, replayed: 1 };
      await answer(server.socket, "$/resume", { [VASE]: recovered });
      server.socket.deliver(patch({ price: 13 }, 13));
      await answer(server.socket, "$/snapshot", SNAPSHOT);
      expect([room.state?.price, room.position]).toEqual([13, "e:13"]);
      expect(server.socket.sentMessages.map(({ method }) => method)).toEqual([
        ...["$/resume", "$/snapshot"],
      ]);
    },
  );

  it("is asked for again after a refusal that may pass", async () => {
    const { server, hub } = await connectedHub();
    server.socket.deliver(patch({ price: 10 }, 10));
    const room = hub.room(VASE);
    await advance();
    server.socket.deliver(refusalOf(server.socket.sentMessages.at(-1), "rate_limited"));
    await advance(1_000);
    server.socket.deliver(patch({ price: 13 }, 13));
    await answer(server.socket, "$/snapshot", SNAPSHOT);
    expect([room.state?.price, room.position]).toEqual([13, "e:13"]);
    expect(server.socket.sentMessages).toHaveLength(2);
  });

  it("takes a snapshot that comes before the answer", async () => {
    const { server, hub } = await connectedHub();
    server.socket.deliver(patch({ price: 10 }, 10));
    const room = hub.room(VASE);
    server.socket.deliver(snapshot({ price: 20, bids: {} }, "f:1"));
    server.socket.deliver(patch({ price: 21 }, "f:2"));
    await answer(server.socket, "$/snapshot", SNAPSHOT);
    expect([room.state?.price, room.position]).toEqual([21, "f:2"]);
  });

  it("stays undefined where clients see none, and actions are run all the same", async () => {
    const setting = await connectingRoom();
    greet(setting, {});
    await advance();
    const { socket } = setting.server;
    const [request] = socket.sentMessages;
    expect(request).toMatchObject({ method: "$/snapshot", params: [{ room: VASE }] });
    socket.deliver(refusalOf(request, "method_not_found"));
    const outcome = outcomeOf(setting.room.run.bid(1));
    await advance();
    socket.deliver(answerTo(runsOf(socket)[0], 11, 1));
    expect([await outcome, setting.room.state]).toEqual([{ value: 1 }, undefined]);
  });

  it("is that of a room on the hub's socket, in a view of it", async () => {
    const { server, hub } = await connectedPlainHub();
    const view = roomOf(hub, VASE);
    const room = stateOf(view, VASE);
    await advance();
    server.socket.deliver(snapshot(FIRST, "e:10"));
    await answer(server.socket, "$/join", JOINED);
    expect(room.state).toEqual(FIRST);
    expect(server.socket.sentMessages.map(({ method }) => method)).toEqual(["$/join"]);
  });
});
