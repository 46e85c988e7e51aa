// A connection that its own listeners close: nothing follows.

import { expect, it } from "vitest";
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

it("does not call a listener that another has removed on the same event", async () => {
  const { server, client } = await connectedClient<TestHub>();
  const events: string[] = [];
  let end = (): void => {};
  client.onState(() => end());
  end = client.onState(({ status }) => events.push(status));
  server.socket.end();
  expect(events).toEqual([]);
});
