// A room's events through @microsoft/fetch-event-source, which takes every blank line for the end of an event: one
// event for each message, each with data, on one connection.

import { fetchEventSource } from "@microsoft/fetch-event-source";
import { afterEach, expect, it, vi } from "vitest";
import { connect } from "../../src/client/index.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { sharedEndpoint } from "../support/shared-endpoint.ts";

afterEach(() => void vi.unstubAllGlobals());

it("has every event once, with its data, and does not reconnect", async () => {
  await using endpoint = await sharedEndpoint();
  const hub = connect<ChatHub>(`${endpoint.url}/hubs/chat`, { token: () => endpoint.token("bob") });
  // The package is for pages.
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("document", new EventTarget());
  const events: [name: string, data: unknown][] = [];
  const over = new AbortController();
  const [ready, last] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let connections = 0;
  const reading = fetchEventSource(`${endpoint.url}/hubs/chat/groups/fetched`, {
    headers: { authorization: `Bearer ${await endpoint.token("alice")}` },
    openWhenHidden: true,
    signal: over.signal,
    onopen: async () => void connections++,
    onmessage({ event, data }) {
      events.push([event, JSON.parse(data)]);
      if (event === "connected") ready.resolve();
      if (data.includes('"three"')) last.resolve();
    },
  });
  await ready.promise;
  for (const word of ["one", "two", "three"]) await hub.invoke.sendToRoom("fetched", word);
  await last.promise;
  over.abort();
  await reading;
  hub.close();
  const messages = events.filter(([name]) => name === "receiveMessage");
  expect(messages.map(([, data]) => data)).toEqual([
    ["bob", "one"],
    ["bob", "two"],
    ["bob", "three"],
  ]);
  expect([events[0]![0], connections]).toEqual(["connected", 1]);
});
