// A receiver that tests put in the place of fetch: it checks every signature with the stock library, and answers as it
// is told to.

import { Webhook } from "standardwebhooks";
import { vi } from "vitest";

/** 32 bytes. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
export const URLS = {
  events: "https://receiver.example/events",
  connect: "https://receiver.example/connect",
};

export interface CloudEvent {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly subject: string;
  readonly time: string;
  readonly tenant: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
  readonly data: any;
}

export interface Delivered {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: readonly CloudEvent[];
}

export type Answer = (delivered: Delivered, signal: AbortSignal) => Response | Promise<Response>;

let receivers = 0;

export class Receiver {
  /** Of this one alone: objects of earlier tests may still try to reach another. */
  readonly urls = {
    events: `${URLS.events}/${++receivers}`,
    connect: `${URLS.connect}/${receivers}`,
  };
  /** All requests whose signature was right, taken or not. */
  readonly requests: Delivered[] = [];
  /** Events of those that were answered with 2xx. */
  readonly taken: CloudEvent[] = [];
  /** What was fetched, by anybody. */
  readonly fetched: string[] = [];
  answer: Answer = () => new Response(null, { status: 204 });

  constructor() {
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => this.#take(url, init));
  }

  async #take(url: string, { headers, body, signal }: RequestInit): Promise<Response> {
    this.fetched.push(url);
    if (!Object.values(this.urls).includes(url)) throw new TypeError("nobody is there");
    const verified = new Webhook(SECRET).verify(body as string, headers as Record<string, string>);
    const delivered = {
      ...{ url, headers: headers as Record<string, string> },
      events: Array.isArray(verified) ? verified : [verified],
    };
    this.requests.push(delivered);
    const response = await this.answer(delivered, signal!);
    if (response.ok) this.taken.push(...delivered.events);
    return response;
  }

  /**
   * Resolves when it holds. It looks again and again: woken by an answer, the test would go on inside the object that
   * asked, and workerd dies where that then ends itself.
   */
  async until(holds: () => boolean): Promise<void> {
    const look = () => {
      if (!holds()) throw new Error(`It has not come: ${JSON.stringify(this.taken.slice(-3))}`);
    };
    await vi.waitFor(look, { timeout: 10_000, interval: 2 });
  }

  of(...types: string[]): CloudEvent[] {
    return this.taken.filter(({ type }) => types.includes(type.replace("dormouse.", "")));
  }

  /** The same, of one room: what a crash has ended in others is told when they wake, whoever listens then. */
  in(room: string, ...types: string[]): CloudEvent[] {
    return this.of(...types).filter(({ data }) => room.endsWith(`/${data.room}`));
  }
}
