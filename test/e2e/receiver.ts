// A receiver of webhooks for tests in Node: a real server, which is down, slow, failing or fine as the test says, and
// verifies every request with the stock library.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Webhook } from "standardwebhooks";
import { freePort } from "../support/endpoint.ts";

export const WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

export type Mood = "fine" | "slow" | "failing" | "down";

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test knows what it asked for
  readonly data: any;
}

const SLOW_MS = 1_000;

export class WebhookServer implements AsyncDisposable {
  readonly port: number;
  /** Events of requests that were answered with 2xx, in their order. */
  readonly taken: ReceivedEvent[] = [];
  /** Requests by the mood they met; of `down` nobody knows. */
  readonly requests: Record<Mood, number> = { fine: 0, slow: 0, failing: 0, down: 0 };
  /** What a request was refused for. */
  readonly unverified: string[] = [];
  mostAtOnce = 0;
  #underWay = 0;
  #mood: Mood = "fine";
  readonly #server: Server;

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer((request, response) => void this.#take(request, response));
  }

  static async start(): Promise<WebhookServer> {
    const receiver = new WebhookServer(await freePort());
    await receiver.#listen();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/events`;
  }

  async become(mood: Mood): Promise<void> {
    const was = this.#mood;
    this.#mood = mood;
    if (mood === "down") await this.#stop();
    else if (was === "down") await this.#listen();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.port, "127.0.0.1");
    await once(this.#server, "listening");
  }

  async #stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#underWay);
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const events = this.#verified(Buffer.concat(chunks).toString(), request);
      const mood = this.#mood;
      this.requests[mood]++;
      if (mood === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
      const isTaken = mood === "fine" || mood === "slow";
      if (isTaken) this.taken.push(...events);
      response.writeHead(isTaken ? 204 : 500).end();
    } catch (error) {
      this.unverified.push(String(error));
      response.writeHead(400).end();
    } finally {
      this.#underWay--;
    }
  }

  #verified(body: string, { headers }: IncomingMessage): ReceivedEvent[] {
    const webhook = new Webhook(WEBHOOK_SECRET);
    return webhook.verify(body, headers as Record<string, string>) as ReceivedEvent[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
