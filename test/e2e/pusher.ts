// A service that pushes orders' statuses by REST as one writes it in Node: connections that are kept, a token for each
// address, and no client of ours.

import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { SignJWT } from "jose";

export class Pusher implements Disposable {
  readonly #agent: Agent;
  readonly #url: string;
  readonly #key: Uint8Array;
  readonly #tokens = new Map<string, Promise<string>>();
  /** Milliseconds of each request. */
  readonly latencies: number[] = [];
  /** Sockets that were opened. */
  connections = 0;

  constructor(url: string, accessKey: string, inFlight: number) {
    this.#url = url;
    this.#key = new TextEncoder().encode(accessKey);
    this.#agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  }

  /** Answers the position. Throws whatever else is answered: nothing is pushed twice. */
  async push(order: string, status: string): Promise<{ epoch: string; offset: number }> {
    const url = `${this.#url}/api/hubs/orders/rooms/order:${order}/:publish`;
    const token = await this.#tokenFor(url);
    const body = JSON.stringify({ target: "orderStatusChanged", arguments: [order, status] });
    const began = performance.now();
    const answer = await this.#post(url, token, body);
    this.latencies.push(performance.now() - began);
    return JSON.parse(answer) as { epoch: string; offset: number };
  }

  #tokenFor(url: string): Promise<string> {
    const known = this.#tokens.get(url);
    if (known) return known;
    const token = new SignJWT({})
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setAudience(url)
      .setExpirationTime("5 minutes")
      .sign(this.#key);
    this.#tokens.set(url, token);
    return token;
  }

  async #post(url: string, token: string, body: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const sent = request(url, {
      method: "POST",
      agent: this.#agent,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    sent.once("socket", () => (this.connections += sent.reusedSocket ? 0 : 1));
    sent.once("error", reject);
    sent.once("response", (response) => {
      const { statusCode } = response;
      const refused = (said: string) => reject(new Error(`${statusCode}: ${said}`));
      text(response).then(statusCode === 200 ? resolve : refused, reject);
    });
    sent.end(body);
    return promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

/**
 * So many lanes, each with the next order as soon as it is through with one. Within an order one push follows another.
 */
export async function inLanes(
  orders: readonly string[],
  lanes: number,
  work: (order: string) => Promise<void>,
): Promise<void> {
  const left = orders.values();
  const lane = async () => {
    for (const order of left) await work(order);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
