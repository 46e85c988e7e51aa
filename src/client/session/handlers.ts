// What the hub may call here, by name: listeners, and those that answer.

import { contained, type Unsubscribe } from "./emitter.ts";
import { errorText, resultText, type Frame } from "../transport/wire.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- handlers of every signature stand in one table
export type Handler = (...args: any[]) => unknown;

export class Handlers {
  readonly #byMethod = new Map<string, Set<Handler>>();

  constructor(handlers: object = {}) {
    for (const [method, handler] of Object.entries(handlers) as [string, Handler][])
      this.on(method, handler);
  }

  on(method: string, handler: Handler): Unsubscribe {
    const handlers = this.#byMethod.get(method) ?? new Set();
    this.#byMethod.set(method, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  /** All who listen are told, in the order in which they came. */
  tell(method: string, args: readonly unknown[]): void {
    for (const handler of [...(this.#byMethod.get(method) ?? [])])
      contained(() => handler(...args));
  }

  /** The first who listens answers; gives the text of the answer. */
  async answer({ id, method = "" }: Frame, args: readonly unknown[]): Promise<string> {
    const [handler] = this.#byMethod.get(method) ?? [];
    if (!handler) return errorText(id, METHOD_NOT_FOUND, `This client has no ${method}.`);
    try {
      return resultText(id, await handler(...args));
    } catch (error) {
      return errorText(id, OTHER, error instanceof Error ? error.message : String(error));
    }
  }
}

const METHOD_NOT_FOUND = -32601;
const OTHER = -32000;
