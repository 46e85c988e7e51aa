// One connection's wire: every frame that passes, and how much of it there was lately. No DOM.

import { PING } from "../src/model/wire-constants.ts";

export interface Frame {
  readonly at: number;
  readonly hub: string;
  readonly direction: "in" | "out";
  readonly text: string;
  /** A heartbeat: the room answers it asleep. */
  readonly isBeat: boolean;
}

/** A room leaves memory after as long without work (PLATFORM §2). */
const SLEEPY_MS = 10_000;
/** After 1000 nobody comes back. */
const CUT = 3000;
/** What a rate is taken over, and how long a pulse is remembered. */
const RATE_SECONDS = 5;
export const PULSE_SECONDS = 30;

export class Line {
  readonly hub: string;
  received = 0;
  sent = 0;
  #spokenAt = 0;
  /** Messages in each second, the newest last. */
  readonly #seconds: { readonly second: number; count: number }[] = [];
  readonly #open = new Set<WebSocket>();
  readonly #watch: (frame: Frame) => void;

  constructor(hub: string, watch: (frame: Frame) => void) {
    this.hub = hub;
    this.#watch = watch;
  }

  /** The browser's own WebSocket, which tells us what passes. */
  get WebSocket(): typeof WebSocket {
    const open = this.#open;
    const pass = (direction: Frame["direction"], data: unknown) => this.#pass(direction, `${data}`);
    return class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        open.add(this);
        this.addEventListener("message", ({ data }) => pass("in", data));
        this.addEventListener("close", () => open.delete(this));
      }

      override send(data: Parameters<WebSocket["send"]>[0]): void {
        pass("out", data);
        super.send(data);
      }
    };
  }

  /** Ends what is open, as a network might. */
  cut(): void {
    for (const socket of this.#open) socket.close(CUT);
  }

  #pass(direction: Frame["direction"], text: string): void {
    const at = Date.now();
    const isBeat = text === PING;
    if (!isBeat) this.#count(direction, messagesIn(text), at);
    this.#watch({ at, hub: this.hub, direction, text: withoutToken(text), isBeat });
  }

  #count(direction: Frame["direction"], messages: number, at: number): void {
    if (direction === "in") this.received += messages;
    else this.sent += messages;
    this.#spokenAt = at;
    const second = Math.floor(at / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) last.count += messages;
    else this.#seconds.push({ second, count: messages });
    if (this.#seconds.length > PULSE_SECONDS) this.#seconds.shift();
  }

  /** Nothing has been said for so long that the room has most likely left memory. */
  isAsleep(now: number): boolean {
    return now - this.#spokenAt > SLEEPY_MS;
  }

  /** Messages a second, both ways. */
  rate(now: number): number {
    const counts = this.pulse(now).slice(-RATE_SECONDS);
    return counts.reduce((sum, count) => sum + count, 0) / RATE_SECONDS;
  }

  /** Messages in each of the last whole seconds, the newest last. */
  pulse(now: number): number[] {
    const first = Math.floor(now / 1000) - PULSE_SECONDS;
    const counts = Array.from({ length: PULSE_SECONDS }, () => 0);
    for (const { second, count } of this.#seconds)
      if (second >= first && second - first < PULSE_SECONDS) counts[second - first] = count;
    return counts;
  }
}

/** A frame holds one message or an array of them. */
function messagesIn(text: string): number {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.length : 1;
  } catch {
    return 1; // Not ours to judge: it is shown as it came.
  }
}

/** The inspector may be on a screen that is shared. */
const withoutToken = (text: string): string =>
  text.includes('"$/refresh"') ? text.replace(/"token":"[^"]*"/g, '"token":"…"') : text;
