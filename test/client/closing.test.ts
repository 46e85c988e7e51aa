// A connection that its own listeners close: nothing follows.

import { expect, it, onTestFinished, vi } from "vitest";
import { answer, connected, JOINED, reconnect } from "./viewing.ts";
import type { TestHub } from "./hubs.ts";
import { advance, connectedClient, outcomeOf } from "./server.ts";

it.each(["onState", "onPresence", "onRecovered", "onConnected"] as const)(
  "is greeted no further where %s closes it",
  async (event) => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end();
    const events: string[] = [];
    client.onPresence(() => events.push("present"));
    client[event](() => client.state.status === "connected" && client.close());
    client.onState(({ status }) => events.push(status));
    client.onConnected(() => events.push("greeted"));
    const waiting = outcomeOf(client.invoke.add(1));
    await advance(500);
    server.socket.greet({ recovered: true });
    await advance();
    expect(events.at(-1)).toBe(event === "onConnected" ? "greeted" : "closed");
    expect(events.filter((one) => one === "greeted")).toHaveLength(event === "onConnected" ? 1 : 0);
    expect([client.state.status, await waiting]).toEqual(["closed", { code: "closed" }]);
    expect(server.socket.sentMessages).toEqual([]);
  },
);

it("sends first what was called in the same turn, and its end is no error", async () => {
  const { server, client } = await connectedClient<TestHub>();
  const errors: unknown[] = [];
  client.onError((error) => errors.push(error));
  client.send.say("bye");
  client.close();
  expect(server.socket.sentMessages).toMatchObject([{ method: "say", params: ["bye"] }]);
  await advance();
  expect([errors, client.state]).toEqual([[], { status: "closed" }]);
});

it("tells later events where the console throws at a listener's error", async () => {
  const { server, client } = await connectedClient<TestHub>();
  const complain = vi.spyOn(console, "error").mockImplementation((_text, error) => {
    throw error;
  });
  onTestFinished(() => complain.mockRestore());
  const heard: unknown[] = [];
  const end = client.onMessage(() => {
    throw new Error("As the test asks.");
  });
  client.onMessage(({ params }) => heard.push(...params));
  server.socket.deliver({ method: "said", params: ["one"] });
  end();
  server.socket.deliver({ method: "said", params: ["two"] });
  expect(heard).toEqual(["two"]);
});

it("does not call a listener that another has removed on the same event", async () => {
  const { server, client } = await connectedClient<TestHub>();
  const events: string[] = [];
  let end = (): void => {};
  client.onState(() => end());
  end = client.onState(({ status }) => events.push(status));
  server.socket.end();
  expect(events).toEqual([]);
});

it.each([
  { closer: "handler", method: "said", params: ["bob", "hi"] },
  { closer: "listener of presence", method: "$/presence", params: { users: 1 } },
])("delivers a message no further where a $closer closes it", async ({ method, params }) => {
  const { server, client } = await connectedClient<TestHub>();
  const received: string[] = [];
  client.onMessage((message) => received.push(message.method));
  client.on("said", () => client.close());
  client.onPresence(() => client.close());
  server.socket.deliver({ method, params, room: "group:lobby", position: "e:11" });
  expect(received).toEqual([]);
});

it("reports no further room as resumed where a listener has closed it", async () => {
  const setting = await connected();
  const { hub, server } = setting;
  for (const room of ["group:a", "group:b"] as const) {
    const joining = hub.join(room);
    // oxlint-disable-next-line no-await-in-loop -- one after another
    await answer(server.socket, "$/join", JOINED);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await joining;
  }
  const resumed: string[] = [];
  hub.onRecovered(({ room }) => resumed.push(room));
  hub.onRecovered(() => hub.close());
  await reconnect(setting);
  const recovered = { position: "e:10", recovered: true, replayed: 0 };
  await answer(server.socket, "$/resume", { "group:a": recovered, "group:b": recovered });
  expect(resumed).toEqual(["group:a"]);
});
