// A client of a whole hub that comes back while one of its rooms cannot be had, against the real worker.

import { evictDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { connect, type HubConnection } from "../../src/client/index.ts";
import { release, steering, type SteeredHub } from "../support/steered-hub.ts";
import { roomAt, token } from "../rooms/client.ts";
import { WorkerSocket } from "./worker-socket.ts";

beforeEach(() => {
  for (const level of ["info", "warn", "error"] as const)
    vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => {
  release();
  vi.restoreAllMocks();
});

async function connected() {
  const sockets: WorkerSocket[] = [];
  class WebSocket extends WorkerSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  }
  const hub: HubConnection<typeof SteeredHub> = connect("wss://edge.example/hubs/steered", {
    ...{ token: () => token("alice"), WebSocket, backoff: { baseMs: 10, capMs: 50 } },
  });
  onTestFinished(() => hub.close());
  await hub.ready;
  return { hub, sockets };
}

/** The client notices at once, as after a change of the network. */
function lose(socket: WorkerSocket): void {
  socket.close(1000);
  socket.dispatchEvent(new CloseEvent("close", { code: 1006 }));
}

it("is in its room again once the room's database answers", async () => {
  const name = crypto.randomUUID();
  const room = `group:${name}` as const;
  steering.load = () => undefined;
  const { hub, sockets } = await connected();
  await hub.join(room);
  const [codes, left, texts]: [string[], unknown[], string[]] = [[], [], []];
  hub.onError(({ code }) => codes.push(code));
  hub.onLeft((one) => left.push(one));
  hub.on("said", (text) => texts.push(text));
  let returns = 0;
  hub.onRecovered(() => returns++);
  hub.onReload(() => returns++);
  await evictDurableObject(roomAt(`steered/${room}`));
  steering.load = () => {
    throw new Error("The database is away.");
  };
  lose(sockets.at(-1)!);
  await vi.waitUntil(() => codes.filter((code) => code !== "disconnected").length > 1);
  expect(returns).toBe(0);
  steering.load = () => undefined;
  await vi.waitUntil(() => returns > 0, { timeout: 5_000 });
  await roomAt(`steered/${room}`).publish({ target: "said", params: '["hello"]' });
  await vi.waitUntil(() => texts.length > 0);
  expect({ left, texts }).toEqual({ left: [], texts: ["hello"] });
});
