// Lost connections and reconnection: states, pauses, tokens and the heartbeat.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { connect } from "../../../src/client/index.ts";
import type { TestHub } from "../hubs.ts";
import { connectingClient, connectedClient, FakeServer, outcomeOf, advance } from "../server.ts";

describe("a connection", () => {
  it("says where it stands, from the first attempt to the end", async () => {
    const { server, client } = await connectingClient<TestHub>();
    const states = [client.state];
    client.onState((state) => states.push(state));
    server.socket.greet({ connectionId: "c-7", userId: "bob" });
    server.socket.end(1006);
    await advance(500);
    server.socket.greet();
    client.close();
    expect(states).toEqual([
      { status: "connecting" },
      { status: "connected", connectionId: "c-7", userId: "bob" },
      { status: "reconnecting", error: expect.any(Error), retryAt: expect.any(Number) },
      { status: "connected", connectionId: "c-1", userId: "alice" },
      { status: "closed" },
    ]);
    expect(server.socket.closedWith).toBe(1000);
  });

  it("goes to the room's address with its token", async () => {
    const { server } = await connectingClient<TestHub>({ room: "order:4/2", token: "secret" });
    const { origin, pathname } = server.socket.url;
    expect([origin, pathname]).toEqual(["wss://host", "/hubs/test/orders/4%2F2"]);
    expect(server.socket.query).toEqual({ access_token: "secret" });
  });

  it("is ready once the server has said hello, and not before", async () => {
    const { server, client } = await connectingClient<TestHub>();
    let isReady = false;
    void client.ready.then(() => (isReady = true));
    server.socket.accept();
    await advance();
    expect(isReady).toBe(false);
    server.socket.greet({ position: "e:3" });
    expect(await client.ready).toMatchObject({ position: "e:3" });
  });

  it("that is closed before the server says hello is never ready", async () => {
    const { client } = await connectingClient<TestHub>();
    client.close();
    expect(await outcomeOf(client.ready)).toEqual({ code: "closed" });
  });

  it("makes no attempt after it was closed, and closes once", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const states: string[] = [];
    client.onState(({ status }) => states.push(status));
    client.close();
    client.close();
    await advance(120_000);
    expect(states).toEqual(["closed"]);
    expect(server.sockets).toHaveLength(1);
  });

  it("can be closed by leaving its scope", async () => {
    const { client } = await connectedClient<TestHub>();
    await client[Symbol.asyncDispose]();
    expect(client.state).toEqual({ status: "closed" });
  });
});

describe("after a loss", () => {
  it("pauses grow to their limit, however long nothing succeeds", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const pauses: number[] = [];
    client.onState((state) => {
      if (state.status === "reconnecting") pauses.push(state.retryAt - Date.now());
    });
    for (let attempts = 1; attempts <= 8; attempts += 1) {
      expect(server.sockets).toHaveLength(attempts);
      server.socket.fail();
      await advance(pauses.at(-1));
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  it("pauses are drawn anew each time, from nothing to the whole", async () => {
    const draws = [0, 0.999];
    const { server } = await connectedClient<TestHub>({
      backoff: { random: () => draws.shift() ?? 0 },
    });
    server.socket.end();
    await advance(0);
    expect(server.sockets).toHaveLength(2);
    server.socket.fail();
    await advance(1_900);
    expect(server.sockets).toHaveLength(2);
    await advance(200);
    expect(server.sockets).toHaveLength(3);
  });

  it("a connection that lived begins the pauses again, one that died at once does not", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const pauses: number[] = [];
    client.onState((state) => {
      if (state.status === "reconnecting") pauses.push(state.retryAt - Date.now());
    });
    for (const livedMs of [0, 0, 6_000, 0]) {
      await advance(livedMs);
      server.socket.end();
      await advance(5_000);
      server.socket.greet();
    }
    expect(pauses).toEqual([500, 1_000, 500, 1_000]);
  });

  it.each([
    [1006, true],
    [1001, true],
    [1011, true],
    [4401, true],
    [4408, true],
    [4429, true],
    [1000, false],
    [1008, false],
    [4500, false],
    [4501, false],
    [4502, false],
  ])("a close with %i is come back from: %s", async (code, comesBack) => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end(code);
    await advance(1_000);
    expect(server.sockets).toHaveLength(comesBack ? 2 : 1);
    expect(client.state.status).toBe(comesBack ? "reconnecting" : "closed");
  });

  it("a refusal, which looks like a lost network, is retried and told", async () => {
    const { server, client } = await connectingClient<TestHub>();
    const errors: string[] = [];
    client.onError(({ code }) => errors.push(code));
    server.socket.fail();
    expect(client.state).toMatchObject({ status: "connecting", error: { code: "disconnected" } });
    await advance(500);
    server.socket.end(4401, "The token has expired.");
    expect(errors).toEqual(["disconnected", "expired"]);
    expect(client.lastError).toMatchObject({ message: "Closed with 4401. The token has expired." });
  });

  it("an attempt that hangs is given up", async () => {
    const { server } = await connectingClient<TestHub>();
    await advance(10_000 + 500);
    expect(server.sockets).toHaveLength(2);
  });

  it("a server that accepts and says nothing is left", async () => {
    const { server } = await connectingClient<TestHub>();
    server.socket.accept();
    await advance(31_000);
    expect(server.sockets).toHaveLength(2);
  });

  it("gives up after as many failures in a row as it may", async () => {
    const { server, client } = await connectingClient<TestHub>({ maxRetries: 2 });
    for (let i = 0; i < 5; i += 1) {
      server.socket.fail();
      await advance(5_000);
    }
    expect(server.sockets).toHaveLength(3);
    expect(client.state).toMatchObject({ status: "closed", error: { code: "disconnected" } });
    expect(await outcomeOf(client.ready)).toEqual({ code: "disconnected" });
  });
});

describe("a page", () => {
  it.each(["online", "pageshow", "visibilitychange"])(
    "that says %s need not wait",
    async (event) => {
      const window = new EventTarget();
      vi.stubGlobal("window", window);
      onTestFinished(() => void vi.unstubAllGlobals());
      const { server, client } = await connectedClient<TestHub>();
      server.socket.end();
      await advance(100);
      expect(server.sockets).toHaveLength(1);
      window.dispatchEvent(new Event(event));
      await advance();
      expect(server.sockets).toHaveLength(2);
      server.socket.greet();
      window.dispatchEvent(new Event(event));
      expect(server.socket.pings).toBe(2);
      client.close();
      window.dispatchEvent(new Event(event));
      await advance(60_000);
      expect(server.sockets).toHaveLength(2);
    },
  );
});

describe("a token function", () => {
  it("is asked for every attempt", async () => {
    let n = 0;
    const { server } = await connectedClient<TestHub>({ token: async () => `t${++n}` });
    server.socket.end();
    await advance(500);
    server.socket.fail();
    await advance(1_000);
    expect(server.sockets.map(({ query }) => query["access_token"])).toEqual(["t1", "t2", "t3"]);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("offline"))],
    ["throws nothing", () => Promise.reject()],
    ["hangs", () => new Promise<string>(() => {})],
  ])("that %s is asked again", async (_how, broken) => {
    const token = vi.fn<() => Promise<string>>(async () => "good").mockImplementationOnce(broken);
    const { server, client } = await connectingClient<TestHub>({ token, tokenSeconds: 1 });
    await advance(1_000);
    expect(client.state).toMatchObject({ status: "connecting", error: { code: "no_token" } });
    await advance(500);
    expect(server.sockets.map(({ query }) => query["access_token"])).toEqual(["good"]);
  });

  it("that is under way leaves no timer after close", async () => {
    const { client } = await connectingClient<TestHub>({ token: () => new Promise(() => {}) });
    client.close();
    await advance();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not called after a close, and renews nothing after it", async () => {
    const issued = `h.${btoa(JSON.stringify({ iat: 0, exp: 100 }))}.s`;
    const token = vi.fn<() => Promise<string>>(async () => issued);
    const { server, client } = await connectedClient<TestHub>({ token });
    client.on("said", () => client.close());
    const refreshed = outcomeOf(client.refresh());
    await advance();
    const { id } = server.socket.sentMessages.at(-1)!;
    const said = { method: "said", params: ["bob", "hi"] };
    server.socket.deliver([{ id: id!, result: { expiresAt: 1 } }, said]);
    expect(await refreshed).toEqual({ value: { expiresAt: 1 } });
    await advance();
    expect(vi.getTimerCount()).toBe(0);
    expect(await outcomeOf(client.refresh())).toEqual({ code: "closed" });
    expect(token).toHaveBeenCalledTimes(2);
  });

  it("is not called if the first attempt is given up at once", async () => {
    const token = vi.fn<() => Promise<string>>(() => new Promise(() => {}));
    const { client } = await connectedClient<TestHub>();
    const { WebSocket } = new FakeServer();
    connect<TestHub>("wss://host/hubs/test", { token, WebSocket }).close();
    await advance();
    client.close();
    expect([token.mock.calls.length, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("that is under way for `refresh` ends with the connection", async () => {
    const token = vi.fn<() => Promise<string>>(() => new Promise(() => {}));
    const { client } = await connectedClient<TestHub>({ token: token.mockResolvedValueOnce("t") });
    const refreshed = outcomeOf(client.refresh());
    await advance();
    client.close();
    expect(await refreshed).toEqual({ code: "closed" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("that `refresh` has put in the place of a fixed one is that of later attempts", async () => {
    const { server, client } = await connectedClient<TestHub>({ token: "old" });
    for (const refused of [true, false]) {
      const refreshed = outcomeOf(client.refresh(refused ? "bad" : "new"));
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await advance();
      const { id } = server.socket.sentMessages.at(-1)!;
      const error = { code: -32001, message: "No.", data: { code: "invalid_token" } };
      server.socket.deliver({ id: id!, ...(refused ? { error } : { result: { expiresAt: 1 } }) });
      // oxlint-disable-next-line no-await-in-loop -- as above
      await refreshed;
    }
    server.socket.end(4401);
    await advance(500);
    expect(server.sockets.map(({ query }) => query["access_token"])).toEqual(["old", "new"]);
  });

  it.each(["lost", "closed"])(
    "that renews has no effect once the connection is %s",
    async (end) => {
      const claims = { iat: Math.floor(Date.now() / 1000) };
      const issued = `h.${btoa(JSON.stringify({ ...claims, exp: claims.iat + 100 }))}.s`;
      let give = (_token: string): void => {};
      const token = vi
        .fn<() => Promise<string>>(async () => "t")
        .mockResolvedValueOnce(issued)
        .mockImplementationOnce(() => new Promise((resolve) => (give = resolve)));
      const { server, client } = await connectedClient<TestHub>({ token });
      const alive = setInterval(() => server.socket.deliver(PING), 10_000);
      await advance(70_000);
      clearInterval(alive);
      expect(token).toHaveBeenCalledTimes(2);
      const errors: string[] = [];
      client.onError(({ code }) => errors.push(code));
      if (end === "closed") client.close();
      else server.socket.end();
      give(issued);
      await advance(500);
      if (end === "lost") server.socket.greet();
      await advance();
      expect(errors).toEqual(end === "lost" ? ["disconnected"] : []);
      expect(server.socket.sentMessages).toEqual([]);
    },
  );

  it("whose renewal a loss interrupts is no error", async () => {
    const now = Math.floor(Date.now() / 1000);
    const issued = `h.${btoa(JSON.stringify({ iat: now, exp: now + 100 }))}.s`;
    const { server, client } = await connectedClient<TestHub>({ token: () => issued });
    const alive = setInterval(() => server.socket.deliver(PING), 10_000);
    await advance(70_000);
    clearInterval(alive);
    expect(server.socket.sentMessages.map(({ method }) => method)).toEqual(["$/refresh"]);
    const errors: string[] = [];
    client.onError(({ code }) => errors.push(code));
    server.socket.end();
    await advance();
    expect(errors).toEqual(["disconnected"]);
  });

  it("keeps a connection alive: a fresh token before the old one expires", async () => {
    const issued: string[] = [];
    const token = () => {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iat: now, exp: now + 300, n: issued.length };
      issued.push(`h.${btoa(JSON.stringify(claims))}.s`);
      return issued.at(-1)!;
    };
    const { server } = await connectingClient<TestHub>({ token });
    server.socket.greet();
    const alive = setInterval(() => server.socket.deliver(PING), 10_000);
    await advance(261_000);
    expect(server.socket.sentMessages).toEqual([]);
    await advance(2_000);
    const [refresh] = server.socket.sentMessages;
    expect(refresh).toMatchObject({ method: "$/refresh", params: [{ token: issued[1] }] });
    server.socket.deliver({ id: refresh!.id!, result: { expiresAt: 1 } });
    await advance(265_000);
    expect(server.socket.sentMessages.map(({ params }) => params)).toEqual([
      [{ token: issued[1] }],
      [{ token: issued[2] }],
    ]);
    clearInterval(alive);
  });
});

describe("the heartbeat", () => {
  it("comes as often as the server asks, with bytes that objects answer asleep", async () => {
    const { server } = await connectedClient<TestHub>({}, { pingSeconds: 5 });
    const answers = setInterval(() => server.socket.deliver(PING), 1_000);
    onTestFinished(() => clearInterval(answers));
    await advance(20_500);
    expect(server.socket.pings).toBe(1 + 4);
    expect(server.sockets).toHaveLength(1);
  });

  it("begins as soon as the socket is open, before the server's greeting", async () => {
    const { server } = await connectingClient<TestHub>();
    server.socket.accept();
    expect(server.socket.frames).toEqual([PING]);
  });

  it("finds a connection dead that answers nothing for two intervals", async () => {
    const { server, client } = await connectedClient<TestHub>();
    await advance(29_000);
    expect(client.state.status).toBe("connected");
    await advance(2_000);
    expect(client.state).toMatchObject({ status: "reconnecting", error: { code: "silent" } });
    expect(server.sockets).toHaveLength(2);
  });
});
