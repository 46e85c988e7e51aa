// Calls of JSON-RPC over one socket.

import type { Frame } from "../client.ts";
import type { Said, Wire } from "./subscriber.ts";

const LOST: Frame = { error: { code: 0, message: "Lost.", data: { code: "lost" } } };

export class Calls {
  readonly #wire: Wire;
  readonly #open = new Map<string, (frame: Frame) => void>();
  #count = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  answer(frame: Frame): void {
    this.#open.get(frame.id as string)?.(frame);
  }

  /** Its answer, or an error where the socket is gone before. */
  async call(method: string, params: unknown, idempotencyKey?: string): Promise<Frame> {
    const id = `c${this.#count++}`;
    const answer = new Promise<Frame>((resolve) => void this.#open.set(id, resolve));
    this.#wire.send(JSON.stringify({ jsonrpc: "2.0", id, method, params, idempotencyKey }));
    return Promise.race([answer, this.#wire.gone.then(() => LOST)]);
  }

  say({ room, text, key, toOthers }: Said): Promise<Frame> {
    const args = [room.slice("group:".length), text];
    return this.call(toOthers ? "sayOthers" : "say", args, key);
  }
}
