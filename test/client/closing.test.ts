// A connection that its own listeners close: nothing follows.

import { expect, it, onTestFinished, vi } from "vitest";
import type { TestHub } from "./hubs.ts";
import { advance, connectedClient, outcomeOf } from "./server.ts";

it.each(["onState", "onPresence", "onRecovered", "onConnected"] as const)(
  "is greeted no further where %s closes it",
  async (event) => {
    const { server, client } = await connectedClient<TestHub>();
    server.socket.end();
    const events: string[] = [];
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
