// The application's handlers for client methods, by method name.

import { runListener, type Unsubscribe } from "../platform/emitter.ts";
import { errorText, messageOf, resultText, type Frame } from "../transport/wire.ts";
import { checkSize } from "./upload-pump.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- one table holds handlers of every signature
export type Handler = (...args: any[]) => unknown;

/** A handler, and the room whose messages it receives; undefined for all. */
type Registration = readonly [handler: Handler, room: string | undefined];

export class Handlers {
  readonly #byMethod = new Map<string, Set<Registration>>();
  readonly #messageBytes: number;

  /** Results of more than `messageBytes` are answered with an error: the server would not read them. */
  constructor(messageBytes: number, handlers: object = {}) {
    this.#messageBytes = messageBytes;
    for (const [method, handler] of Object.entries(handlers) as [string, Handler | undefined][])
      this.on(method, handler);
  }

  /**
   * A function registered twice for one method, such as by two components, is called once for each message, until both
   * registrations have ended. Undefined, as in `{ said: onSaid }` without an `onSaid`, counts as no handler.
   */
  on(method: string, handler: Handler | undefined, room?: string): Unsubscribe {
    const all = this.#byMethod.get(method) ?? new Set();
    const own = [handler, room] as Registration;
    if (handler) this.#byMethod.set(method, all.add(own));
    return () => void all.delete(own);
  }

  /**
   * Calls the method's handlers for a message of `room`, or of no room, in the order of registration. Errors are logged
   * to the console.
   */
  deliver(method: string, args: readonly unknown[], room?: string): void {
    const all = this.#byMethod.get(method) ?? new Set();
    const called = new Set<Handler>();
    for (const one of [...all]) {
      const [handler, own = room] = one;
      // An earlier handler may have removed later ones.
      if (called.has(handler) || !all.has(one) || (room !== undefined && own !== room)) continue;
      called.add(handler);
      runListener(() => handler(...args));
    }
  }

  /**
   * Runs the first registered handler for a call that expects a result. Resolves with the response as JSON: the result,
   * or an error if the handler throws or none is registered.
   */
  async respond(method: string, id: Frame["id"], args: readonly unknown[]): Promise<string> {
    const [[handler] = []] = this.#byMethod.get(method) ?? [];
    if (!handler) return errorText(id, METHOD_NOT_FOUND, `This client has no ${method}.`);
    try {
      return checkSize(resultText(id, await handler(...args)), this.#messageBytes);
    } catch (error) {
      return errorText(id, HANDLER_FAILED, messageOf(error));
    }
  }
}

/** Codes of JSON-RPC 2.0 §5.1; the second one is in the range that implementations may define. */
const METHOD_NOT_FOUND = -32601;
const HANDLER_FAILED = -32000;
