// A webhook receiver in place of fetch: it verifies every signature with the stock library, and answers as the test
// says.

import { Webhook } from "standardwebhooks";
import { vi } from "vitest";

/** A key of 32 bytes. */
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
  /** URLs of this receiver alone: objects of earlier tests may still try to reach another one. */
  readonly urls = {
    events: `${URLS.events}/${++receivers}`,
    connect: `${URLS.connect}/${receivers}`,
  };
  /** All requests with a valid signature, acknowledged or not. */
  readonly requests: Delivered[] = [];
  /** Events of the requests that were answered with 2xx. */
  readonly taken: CloudEvent[] = [];
  /** Every URL that was fetched, by any object. */
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
   * Resolves once the condition holds. It polls: resumed by an answer, the test would continue inside the object that
   * sent the request, and workerd crashes where that object then ends itself.
   */
  async until(holds: () => boolean): Promise<void> {
    const check = () => {
      if (!holds()) throw new Error(`It has not come: ${JSON.stringify(this.taken.slice(-3))}`);
    };
    await vi.waitFor(check, { timeout: 10_000, interval: 2 });
  }

  of(...types: string[]): CloudEvent[] {
    return this.taken.filter(({ type }) => types.includes(type.replace("dormouse.", "")));
  }

  /** The events of one room. Objects of other tests that crashed report their own when they wake, to any receiver. */
  in(room: string, ...types: string[]): CloudEvent[] {
    return this.of(...types).filter(({ data }) => room.endsWith(`/${data.room}`));
  }
}
