// The traffic of the page's socket: every frame in both directions, and statistics by object. Without DOM.

import { PING } from "../src/model/wire-constants.ts";

export interface Frame {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The relay, or rooms, with commas. */
  readonly object: string;
  readonly direction: "in" | "out";
  readonly text: string;
  /** A ping or its response. The platform answers it without waking the room's object. */
  readonly isHeartbeat: boolean;
}

/** The platform evicts an idle object from memory after about 10 s. */
const IDLE_MS = 10_000;
/** A close code after which the client reconnects, as after a lost network. */
const DISCONNECT_CODE = 3000;
/** The period that a rate is averaged over. */
const RATE_SECONDS = 5;
/** The period of the chart. */
const CHART_SECONDS = 30;

/** The object that holds the page's socket: what names no room goes to it, and comes from it. */
export const RELAY = "relay";

/** All frames of the page's socket, and what they say of the objects behind it. */
export class Traffic {
  readonly #activities = new Map<string, Activity>();
  readonly #sockets = new Set<WebSocket>();
  readonly #onFrame: (frame: Frame) => void;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Of a room, by its topic, or of the relay. */
  activityOf(object: string): Activity {
    const activity = this.#activities.get(object) ?? new Activity();
    this.#activities.set(object, activity);
    return activity;
  }

  /** A subclass of the browser's WebSocket that reports its frames here. For the option `WebSocket` of `connect`. */
  get WebSocket(): typeof WebSocket {
    const sockets = this.#sockets;
    const report = (direction: Frame["direction"], data: unknown) =>
      this.#report(direction, `${data}`);
    return class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        sockets.add(this);
        this.addEventListener("message", ({ data }) => report("in", data));
        this.addEventListener("close", () => sockets.delete(this));
      }

      override send(data: Parameters<WebSocket["send"]>[0]): void {
        report("out", data);
        super.send(data);
      }
    };
  }

  /** Closes the open sockets, as a network failure would. The client reconnects. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.close(DISCONNECT_CODE);
  }

  #report(direction: Frame["direction"], text: string): void {
    const at = Date.now();
    const isHeartbeat = text === PING;
    const objects = isHeartbeat ? [RELAY] : objectsOf(text);
    if (!isHeartbeat) for (const name of objects) this.activityOf(name).count(direction, at);
    const object = [...new Set(objects)].join(", ");
    this.#onFrame({ at, object, direction, text: withoutToken(text), isHeartbeat });
  }
}

/** What passed to and from one object, with statistics of the last seconds. */
export class Activity {
  /** Messages since the page was opened, without heartbeats. */
  received = 0;
  sent = 0;
  #lastAt = 0;
  /** Messages in each second that had any, the newest last. */
  readonly #seconds: { readonly second: number; count: number }[] = [];

  count(direction: Frame["direction"], at: number): void {
    if (direction === "in") this.received++;
    else this.sent++;
    this.#lastAt = at;
    const second = Math.floor(at / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) last.count++;
    else this.#seconds.push({ second, count: 1 });
    if (this.#seconds.length > CHART_SECONDS) this.#seconds.shift();
  }

  /** An estimate: no message for so long that the room's object has most likely left memory. */
  isAsleep(now: number): boolean {
    return now - this.#lastAt > IDLE_MS;
  }

  /** Messages per second, both directions together. */
  rate(now: number): number {
    const counts = this.countsPerSecond(now).slice(-RATE_SECONDS);
    return counts.reduce((sum, count) => sum + count, 0) / RATE_SECONDS;
  }

  /** Messages in each of the last `CHART_SECONDS` whole seconds, the newest last. */
  countsPerSecond(now: number): number[] {
    const first = Math.floor(now / 1000) - CHART_SECONDS;
    const counts = Array.from({ length: CHART_SECONDS }, () => 0);
    for (const { second, count } of this.#seconds)
      if (second >= first && second - first < CHART_SECONDS) counts[second - first] = count;
    return counts;
  }
}

/** The object of each message of a frame, which holds one or an array of them. */
function objectsOf(text: string): string[] {
  try {
    const value = JSON.parse(text) as Message | Message[];
    return [value].flat().map(({ room, params }) => room ?? roomIn(params) ?? RELAY);
  } catch {
    return [RELAY]; // Malformed frames are shown and counted like others: the client reports them.
  }
}

interface Message {
  readonly room?: string;
  readonly params?: unknown;
}

/** Of methods of the protocol, such as `$/history`. */
const roomIn = (params: unknown): string | undefined =>
  (params as { readonly room?: string } | undefined)?.room;

/** Hides tokens, because the inspector may be visible on a shared screen. */
const withoutToken = (text: string): string =>
  text.includes('"$/refresh"') ? text.replace(/"token":"[^"]*"/g, '"token":"…"') : text;
