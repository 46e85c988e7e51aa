// The rules for every client: the order of its states, its pauses, and that nothing is left of it after its end.

import { vi } from "vitest";
import type { State } from "../../../src/client/index.ts";
import type { Connection } from "../../../src/client/client-connection.ts";
import type { RoomGreeting } from "../../../src/client/transport/wire.ts";
import type { TestHub } from "../hubs.ts";
import type { AnyClient } from "./called.ts";
import type { ModelServer } from "./model-server.ts";

const AFTER: Record<State["status"], readonly State["status"][]> = {
  connecting: ["connecting", "connected", "closed"],
  connected: ["reconnecting", "closed"],
  reconnecting: ["reconnecting", "connected", "closed"],
  closed: [],
};

/** Counts the listeners of a page. */
export class Page extends EventTarget {
  listeners = 0;

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.listeners += 1;
    const [, , options] = args as [unknown, unknown, { readonly signal?: AbortSignal }];
    options.signal?.addEventListener("abort", () => void (this.listeners -= 1));
    super.addEventListener(...args);
  }
}

export class Watched {
  readonly faults: string[] = [];
  #last: State["status"] = "connecting";
  #isClosed = false;

  constructor(client: AnyClient | Connection<TestHub, RoomGreeting>) {
    client.onState((state) => this.#onState(state));
    client.onMessage(() => this.#expectOpen("A message"));
    client.onConnected(() => this.#expectOpen("A greeting"));
    client.onReload(() => this.#expectOpen("A reload"));
    client.onRecovered(() => this.#expectOpen("A recovery"));
    client.onLeft(() => this.#expectOpen("A removal"));
  }

  /** To be called when the application has called `close`. */
  close(): void {
    this.#isClosed = true;
  }

  #expectOpen(name: string): void {
    if (this.#isClosed) this.faults.push(`${name} came after the close.`);
  }

  #onState(state: State): void {
    const { status } = state;
    if (!AFTER[this.#last].includes(status)) this.faults.push(`${this.#last} → ${status}`);
    this.#last = status;
    if (status === "closed" || status === "connected" || state.retryAt === undefined) return;
    const most = 30_000 + (state.error?.retryAfter ?? 0) * 1000;
    const pause = state.retryAt - Date.now();
    if (pause < (state.error?.retryAfter ?? 0) * 1000 - 1 || pause > most + 1)
      this.faults.push(`A pause of ${pause} ms.`);
  }

  /** What is left after the end. */
  static remains(server: ModelServer, page: Page): string[] {
    const sockets = server.links.filter(({ socket }) => socket.readyState < 2).length;
    const timers = vi.getTimerCount();
    const { listeners } = page;
    return sockets + timers + listeners === 0
      ? []
      : [`Left: ${sockets} sockets, ${timers} timers, ${listeners} listeners.`];
  }
}
