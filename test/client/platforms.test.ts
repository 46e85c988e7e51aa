// Platforms that lack what browsers have: listeners, `crypto`, WebSocket, and a `fetch` that streams.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect, events } from "../../src/client/index.ts";
import type { TestHub } from "./hubs.ts";
import { advance, connectedClient, fakeClock, FakeServer, outcomeOf } from "./server.ts";

afterEach(() => void vi.unstubAllGlobals());

const LOBBY = "group:lobby";

describe("React Native", () => {
  beforeEach(() => {
    // Its window is the global object, which has none of these.
    vi.stubGlobal("window", {});
    for (const name of ["crypto", "document", "location", "MessageEvent"])
      vi.stubGlobal(name, undefined);
    vi.stubGlobal("navigator", { product: "ReactNative" });
  });

  it("connects, although its window has no listeners", async () => {
    const { client } = await connectedClient<TestHub>();
    expect(client.state.status).toBe("connected");
  });

  it("is woken by the application: an attempt at once, and a ping of an open connection", async () => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end();
    client.wake();
    await advance();
    expect(server.sockets).toHaveLength(2);
    server.socket.greet();
    const { pings } = server.socket;
    client.wake();
    expect(server.socket.pings).toBe(pings + 1);
  });

  it("has no page that a path could be relative to", () => {
    // Its URL takes every text.
    vi.stubGlobal(
      "URL",
      class {
        readonly host = "";
      },
    );
    expect(() => connect("/hubs/test", { room: LOBBY, token: "t" })).toThrow("not an absolute URL");
  });

  it("has no fetch that streams, and is told of one that does", () => {
    vi.stubGlobal("Response", { prototype: {} });
    const start = () => events("https://host/hubs/test", { room: LOBBY, token: "t" });
    expect(start).toThrow(expect.objectContaining({ code: "unsupported" }));
    expect(start).toThrow("expo/fetch");
  });
});

describe("without WebSocket", () => {
  beforeEach(() => void vi.stubGlobal("WebSocket", undefined));

  it("a connection ends at once with an error that names the remedy, and nothing is tried", async () => {
    fakeClock();
    const token = vi.fn<() => string>(() => "t");
    const states: string[] = [];
    const client = connect<TestHub>("wss://host/hubs/test", { room: LOBBY, token });
    client.onState(({ status }) => states.push(status));
    const call = outcomeOf(client.invoke.add(1, 2));
    await expect(client.ready).rejects.toMatchObject({ code: "unsupported" });
    await expect(client.ready).rejects.toThrow(/Node 22.*`ws`/);
    expect(client.state).toMatchObject({ status: "closed", error: { code: "unsupported" } });
    expect(states).toEqual(["closed"]);
    expect(await call).toEqual({ code: "closed" });
    client.wake();
    await advance(60_000);
    expect(token).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("one that is closed before says nothing of it", async () => {
    fakeClock();
    const client = connect<TestHub>("wss://host/hubs/test", { room: LOBBY, token: "t" });
    client.close();
    await advance();
    expect(client.state).toEqual({ status: "closed" });
  });

  it("a class that is given does as well", async () => {
    const { client } = await connectedClient<TestHub>();
    expect(client.state.status).toBe("connected");
  });
});

describe("a start that fails", () => {
  it("leaves no timer and no socket", async () => {
    fakeClock();
    const { sockets, WebSocket } = new FakeServer();
    vi.stubGlobal("window", {
      addEventListener() {
        throw new Error("Not here.");
      },
    });
    const start = () => connect("wss://host/hubs/test", { room: LOBBY, token: "t", WebSocket });
    expect(start).toThrow("Not here.");
    await advance(60_000);
    expect(vi.getTimerCount()).toBe(0);
    expect(sockets).toHaveLength(0);
  });
});

describe("a worker", () => {
  it("has no window, and wakes by its own events", async () => {
    const self = new EventTarget();
    vi.stubGlobal("addEventListener", self.addEventListener.bind(self));
    const { server } = await connectedClient<TestHub>();
    server.socket.end();
    self.dispatchEvent(new Event("online"));
    await advance();
    expect(server.sockets).toHaveLength(2);
  });
});
