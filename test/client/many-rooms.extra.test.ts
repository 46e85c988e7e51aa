// A page with as many rooms on one socket as a hub allows by default, against the real worker.

import { expect, it, onTestFinished, vi } from "vitest";
import { hubAt } from "../../src/components/hub-at.ts";
import { presenceIn, readLive, watchLive } from "../../src/components/live-values.ts";
import { roomHistory } from "../../src/components/room-history.ts";
import type { ChatHub } from "../../src/hubs/chat.ts";
import { token } from "../rooms/client.ts";
import { WorkerSocket } from "./worker-socket.ts";

it("shows presence and history of 100 rooms", { timeout: 60_000 }, async () => {
  const hub = hubAt<typeof ChatHub>("wss://edge.example/hubs/chat", {
    ...{ token: () => token("alice"), WebSocket: WorkerSocket, oneSocket: true },
  });
  const page = crypto.randomUUID();
  const shown = Array.from({ length: 100 }, (_, n) => {
    const room = `group:${page}-${n}` as const;
    const [presence, history] = [presenceIn<typeof ChatHub>(), roomHistory<typeof ChatHub>()];
    for (const value of [presence, history])
      onTestFinished(watchLive({ hub, room }, value as typeof presence, () => {}));
    return () => {
      const { isLoading, error } = readLive({ hub, room }, history);
      const { users } = readLive({ hub, room }, presence);
      return { status: hub.peek(room)?.state.status, users, isLoading, code: error?.code };
    };
  });
  const all = { status: "connected", users: 1, isLoading: false, code: undefined };
  await vi.waitFor(() => expect(shown.map((read) => read())).toEqual(shown.map(() => all)), {
    timeout: 50_000,
    interval: 200,
  });
});
