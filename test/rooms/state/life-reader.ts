// A client of one room, which keeps a copy of the state that it may see, and resumes where it was.

import { applyPatch } from "../../../src/model/merge-patch.ts";
import { enter, type Client } from "../client.ts";

export class LifeReader {
  #client: Client | undefined;
  #heard = 0;
  #copy: unknown;
  #position: string | undefined;

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  async open(room: string): Promise<void> {
    const since = this.#position === undefined ? {} : { since: this.#position };
    const client = await enter(room, { user: "reader", ...since });
    const { state, position } = client.hello.params;
    [this.#client, this.#heard, this.#position] = [client, 0, position];
    if (state !== undefined) this.#copy = state;
  }

  get copy(): unknown {
    for (const { method, params, position } of this.#client!.heard.slice(this.#heard)) {
      this.#heard += 1;
      if (position) this.#position = position;
      if (method !== "$/state") continue;
      this.#copy = "state" in params ? params.state : applyPatch(this.#copy, params.patch);
    }
    return this.#copy;
  }

  /** Goes away: the next `open` resumes. */
  close(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }

  forget(): void {
    this.close();
    [this.#copy, this.#position] = [undefined, undefined];
  }
}
