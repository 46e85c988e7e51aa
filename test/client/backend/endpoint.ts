// An endpoint that a test makes up: it answers as it is told, and remembers what it was asked.

import { vi } from "vitest";
import { backend, type Backend, type Fetching } from "../../../src/client/backend/index.ts";
import { hub } from "../../../src/dispatch/define/hub-definition.ts";
import { z } from "zod";

interface Client {
  orderStatusChanged(orderId: string, status: string): void;
  photographed(image: Uint8Array, at: Date): void;
  confirm(question: string): Promise<boolean>;
}
export const OrderHub = hub<Client>("orders", { answers: { confirm: z.boolean() } }).methods({});
export type OrderHub = typeof OrderHub;

export const URL_OF_HUB = "https://h.example/hubs/orders";
export const API = "https://h.example/api/hubs/orders";

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A status, a body as JSON, both, or what `fetch` throws. */
export type Answer = number | object | Response | Error | (() => Promise<Response>);

export interface FakeEndpoint extends Fetching {
  readonly asked: Asked[];
}

/** Answers one after the other; the last for ever. */
export function endpoint(...answers: readonly Answer[]): FakeEndpoint {
  const asked: Asked[] = [];
  let count = 0;
  return {
    asked,
    async fetch(request) {
      const answer = answers[Math.min(count++, answers.length - 1)] ?? {};
      const { method, url, headers } = request;
      const text = await request.text();
      const body = text === "" ? undefined : JSON.parse(text);
      asked.push({ method, url, headers: Object.fromEntries(headers), body });
      return await responseTo(answer);
    },
  };
}

async function responseTo(answer: Answer): Promise<Response> {
  if (answer instanceof Error) throw answer;
  if (answer instanceof Response) return answer.clone();
  if (typeof answer === "function") return answer();
  return typeof answer === "number"
    ? new Response(null, { status: answer })
    : Response.json(answer);
}

/** A refusal as the endpoint writes it. */
export const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { code, message: `It is ${code}.`, target: null, details: [] },
    { status, headers: { "x-dormouse-error": code, ...headers } },
  );

export const orders = (fetcher: Fetching): Backend<OrderHub> =>
  backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher });

/** Pauses end at once, and are written down; the limits of attempts and calls, which are longer, never come. */
export function pausesAreOver(random = 0.5): number[] {
  const pauses: number[] = [];
  vi.spyOn(Math, "random").mockReturnValue(random);
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((run: () => void, delayMs = 0) => {
    if (delayMs > 8_000) return 0;
    pauses.push(delayMs);
    queueMicrotask(run);
    return 0;
  }) as unknown as typeof setTimeout);
  return pauses;
}
