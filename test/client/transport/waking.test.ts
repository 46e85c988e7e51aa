// After a sleep of the process, the page or the machine: overdue timers run before the sockets are read, and must not
// judge what still waits there.

import { describe, expect, it, vi } from "vitest";
import { PING } from "../../../src/model/wire-constants.ts";
import { after, limit } from "../../../src/client/platform/timer.ts";
import { reconnectionCodes, startReader, texts } from "../events/event-server.ts";
import type { TestHub } from "../hubs.ts";
import { advance, connectedClient, connectingClient, fakeClock, outcomeOf } from "../server.ts";

const HOUR = 3_600_000;

/** The clock goes on and nothing runs. Then the timers up to `delayMs` are overdue, and run. */
async function sleep(delayMs: number): Promise<void> {
  vi.setSystemTime(Date.now() + HOUR);
  await vi.advanceTimersByTimeAsync(delayMs);
}

describe("a limit", () => {
  it("that comes late waits a moment more, once", async () => {
    fakeClock();
    const run = vi.fn<() => void>();
    limit(1_000, run);
    await sleep(1_000);
    expect(run).not.toHaveBeenCalled();
    await sleep(500);
    expect(run).toHaveBeenCalledOnce();
  });

  it("is cancelled in that moment, too", async () => {
    fakeClock();
    const run = vi.fn<() => void>();
    const cancel = limit(1_000, run);
    await sleep(1_000);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is no timer that repeats, or ends a pause: those run at once, however late", async () => {
    fakeClock();
    const run = vi.fn<() => void>();
    after(1_000, run);
    await sleep(1_000);
    expect(run).toHaveBeenCalledOnce();
  });
});

describe("a call", () => {
  it("that was answered in the sleep has its answer, and not a timeout", async () => {
    const { server, client } = await connectedClient<TestHub>();
    const sum = outcomeOf(client.with({ timeoutSeconds: 2 }).invoke.add(1, 2));
    await advance();
    await sleep(2_000);
    server.socket.deliver({ id: server.socket.sentMessages[0]!.id!, result: 3 });
    expect(await sum).toEqual({ value: 3 });
  });

  it("that was not answered times out a moment later", async () => {
    const { client } = await connectedClient<TestHub>();
    const sum = outcomeOf(client.with({ timeoutSeconds: 2 }).invoke.add(1, 2));
    await sleep(2_000);
    await advance(500);
    expect(await sum).toEqual({ code: "timed_out" });
  });
});

describe("a connection", () => {
  it("whose pong waits in the socket is not silent", async () => {
    const { server, client } = await connectedClient<TestHub>();
    await advance(15_000);
    await sleep(15_000);
    server.socket.deliver(PING);
    await advance(20_000);
    expect(client.state.status).toBe("connected");
    expect(server.sockets).toHaveLength(1);
  });

  it("whose answer comes only when the network is back is asked once more", async () => {
    const { server, client } = await connectedClient<TestHub>();
    await advance(15_000);
    const before = server.socket.pings;
    await sleep(15_000);
    expect(server.socket.pings).toBe(before + 1);
    await advance(10_000);
    server.socket.deliver(PING);
    await advance(20_000);
    expect(client.state.status).toBe("connected");
  });

  it("that is dead is found within an interval", async () => {
    const { server, client } = await connectedClient<TestHub>();
    await advance(15_000);
    await sleep(15_000);
    await advance(15_000);
    expect(client.lastError).toMatchObject({ code: "silent" });
    await advance(500);
    expect(server.sockets).toHaveLength(2);
  });

  it("that opened in the sleep is kept", async () => {
    const { server, client } = await connectingClient<TestHub>();
    await sleep(10_000);
    server.socket.greet();
    await advance(5_000);
    expect(client.state.status).toBe("connected");
    expect(server.sockets).toHaveLength(1);
  });

  it("whose token came in the sleep goes on with it", async () => {
    const token = Promise.withResolvers<string>();
    const { server } = await connectingClient<TestHub>({
      token: () => token.promise,
      tokenSeconds: 5,
    });
    await sleep(5_000);
    token.resolve("late");
    await advance();
    expect(server.socket.query).toMatchObject({ access_token: "late" });
  });

  it("is tried again when the pause before it has passed in the sleep", async () => {
    const { server } = await connectedClient<TestHub>();
    server.socket.end();
    await sleep(500);
    await advance();
    expect(server.sockets).toHaveLength(2);
  });
});

describe("a stream of events", () => {
  it("whose events wait in the socket is not silent", async () => {
    const reader = await startReader();
    reader.request.greet();
    await advance();
    await sleep(32_000);
    reader.request.deliverMessage("hello", "e:11");
    await advance(1_000);
    expect(texts(reader.received)).toEqual(["connected", "hello"]);
    expect(reader.requests).toHaveLength(1);
  });

  it("that was answered in the sleep has its answer", async () => {
    const reader = await startReader();
    await sleep(10_000);
    reader.request.greet();
    await advance(1_000);
    expect(texts(reader.received)).toEqual(["connected"]);
  });

  it("that is silent after the sleep is lost", async () => {
    const reader = await startReader();
    reader.request.greet();
    await advance();
    await sleep(32_000);
    await advance(1_000);
    expect(reconnectionCodes(reader)).toEqual(["silent"]);
  });
});
