// A fake endpoint: returns the responses that a test prepares, and records the requests.

import { vi } from "vitest";
import { backend, type Backend, type Fetching } from "../../../src/client/backend/index.ts";
import { hub } from "../../../src/dispatch/define/hub-definition.ts";
import * as z from "zod";

interface Client {
  orderStatusChanged(orderId: string, status: string): void;
  photographed(image: Uint8Array, at: Date): void;
  confirm(question: string): Promise<boolean>;
}
export const OrderHub = hub<Client>("orders", { answers: { confirm: z.boolean() } }).methods({});
export type OrderHub = typeof OrderHub;

export const URL_OF_HUB = "https://h.example/hubs/orders";
export const API = "https://h.example/api/hubs/orders";

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A status, a body that becomes JSON, a whole response, or an error that `fetch` throws. */
export type Answer = number | object | Response | Error | (() => Promise<Response>);

export interface FakeEndpoint extends Fetching {
  readonly requests: RecordedRequest[];
}

/** Returns the answers in order, and the last one for every further request. */
export function endpoint(...answers: readonly Answer[]): FakeEndpoint {
  const requests: RecordedRequest[] = [];
  let count = 0;
  return {
    requests,
    async fetch(request) {
      const answer = answers[Math.min(count++, answers.length - 1)] ?? {};
      const { method, url, headers } = request;
      const text = await request.text();
      const body = text === "" ? undefined : JSON.parse(text);
      requests.push({ method, url, headers: Object.fromEntries(headers), body });
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

/** A refusal in the format of the real endpoint. */
export const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json(
    { code, message: `It is ${code}.`, target: null, details: [] },
    { status, headers: { "x-dormouse-error": code, ...headers } },
  );

export const orders = (fetcher: Fetching): Backend<OrderHub> =>
  backend<OrderHub>({ url: URL_OF_HUB, token: "t", fetcher });

/** Replaces timers: pauses (up to 8 s) end at once and are recorded, and the longer time limits never end. */
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
