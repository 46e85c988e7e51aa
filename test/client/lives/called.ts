// Calls of a random life, and how each must end: once, with its own result, and run at most once.

import type { HubConnection } from "../../../src/client/index.ts";
import type { Connection } from "../../../src/client/client-connection.ts";
import type { Chance } from "../../support/seed.ts";
import type { TestHub } from "../hubs.ts";
import type { ModelServer } from "./model-server.ts";

export type AnyClient = HubConnection<TestHub> | Connection<TestHub>;

interface Call {
  readonly number: number;
  ends: string[];
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);
const ENDS = ["interrupted", "cancelled", "timed_out", "closed", "queue_full", "negative"];

export class Calls {
  readonly #calls: Call[] = [];
  readonly faults: string[] = [];
  /** Streams and uploads under way. */
  open = 0;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get pending(): number {
    return this.open + this.#calls.filter(({ ends }) => ends.length === 0).length;
  }

  /** Returns a function that aborts the call. */
  invoke(client: AnyClient): () => void {
    const number = this.#calls.length + 1;
    const controller = new AbortController();
    const mayRepeat = this.#chance.next() < 0.3;
    const call: Call = { number, ends: [] };
    this.#calls.push(call);
    const options = {
      ...(mayRepeat && { idempotencyKey: `k${number}` }),
      ...(this.#chance.next() < 0.5 && { signal: controller.signal }),
      ...(this.#chance.next() < 0.3 && { timeoutSeconds: this.#chance.pick([0.1, 1, 10, 100]) }),
    };
    const other = this.#chance.pick([1000, 2000, -1]);
    const end = (how: string) => void call.ends.push(how);
    client
      .with(options)
      .invoke.add(number, other)
      .then(
        (sum) => end(other > 0 && sum === number + other ? "done" : `${number}: ${sum}`),
        (error) => end(codeOf(error)),
      );
    return () => controller.abort();
  }

  /** Reads a stream, whole or in part. */
  async read(client: AnyClient): Promise<void> {
    const [to, most] = [1 + this.#chance.below(6), 1 + this.#chance.below(8)];
    const items: number[] = [];
    this.open += 1;
    try {
      for await (const item of client.stream.count(to)) {
        items.push(item);
        if (items.length >= most) break;
      }
      const wanted = Math.min(to, most);
      if (items.length !== wanted) this.faults.push(`${items.length} items instead of ${wanted}.`);
    } catch (error) {
      if (!ENDS.includes(codeOf(error))) this.faults.push(`A stream ended with ${codeOf(error)}.`);
    } finally {
      this.open -= 1;
    }
    if (items.some((item, index) => item !== index + 1)) this.faults.push(`Items ${items}.`);
  }

  async upload(client: AnyClient): Promise<void> {
    const all = Array.from({ length: this.#chance.below(6) }, (_, index) => index);
    let isOpen = false;
    async function* source(): AsyncGenerator<number> {
      isOpen = true;
      try {
        for (const one of all) {
          // oxlint-disable-next-line no-await-in-loop -- one item after another
          await Promise.resolve();
          yield one;
        }
      } finally {
        isOpen = false;
      }
    }
    this.open += 1;
    try {
      const result = (await client.invoke.sum(source())) as unknown;
      if (JSON.stringify(result) !== JSON.stringify(all)) this.faults.push(`Uploaded ${result}.`);
    } catch (error) {
      if (!ENDS.includes(codeOf(error))) this.faults.push(`An upload ended: ${codeOf(error)}.`);
    } finally {
      this.open -= 1;
    }
    // oxlint-disable-next-line no-await-in-loop -- turns of microtasks, in which a generator ends
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    if (isOpen) this.faults.push("The source of an upload is left open.");
  }

  /** The faults so far, once everything has been answered. */
  look({ runs }: ModelServer): string[] {
    const wrong = this.#calls.flatMap(({ number, ends }) => {
      const ran = runs.get(number) ?? 0;
      const [end = "nothing"] = ends;
      const isLegal = end === "done" ? ran > 0 : ENDS.includes(end);
      const isRight = ends.length === 1 && isLegal && ran <= 1;
      return isRight ? [] : [`Call ${number} ended with ${ends.join()}, and ran ${ran} times.`];
    });
    return [...this.faults, ...wrong];
  }
}
