// Handlers of a component that has one perhaps: hooks that are called as in its first rendering, without a page.

import * as React from "react";
import { expect, it, onTestFinished } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import { useHub } from "../../src/react/use-hub.ts";
import { advance, FakeServer, fakeClock } from "../client/server.ts";
import type { TestHub } from "../client/hubs.ts";

const { __CLIENT_INTERNALS_DO_NOT_USE_OR_WARN_USERS_THEY_CANNOT_UPGRADE: internals } =
  React as unknown as Record<string, { H: object | null }>;

/** The result of the hooks, whose effects run at once, and end with the test. */
function rendered<T>(component: () => T): T {
  const ends: unknown[] = [];
  internals!.H = {
    useRef: (current: unknown) => ({ current }),
    useEffect: (effect: () => unknown) => void ends.push(effect()),
    useMemo: (make: () => unknown) => make(),
    useCallback: (callback: unknown) => callback,
    useSyncExternalStore: (_subscribe: unknown, read: () => unknown) => read(),
  };
  onTestFinished(async () => {
    for (const end of ends) if (typeof end === "function") end();
    await advance();
  });
  try {
    return component();
  } finally {
    internals!.H = null;
  }
}

it("one that is undefined is none, and leaves the answer to that of another component", async () => {
  fakeClock();
  const server = new FakeServer();
  const Test = hubAt<TestHub>("wss://host/hubs/test", { token: "t", WebSocket: server.WebSocket });
  const room = "group:lobby";
  rendered(() => useHub(Test, { room, handlers: { confirm: undefined } }));
  await advance();
  server.socket.greet();
  server.socket.deliver({ id: 1, method: "confirm", params: ["?"] });
  await advance();
  rendered(() => useHub(Test, { room, handlers: { confirm: () => true } }));
  server.socket.deliver({ id: 2, method: "confirm", params: ["?"] });
  await advance();
  expect(server.socket.sentMessages).toMatchObject([
    { id: 1, error: { code: -32601 } },
    { id: 2, result: true },
  ]);
});
