// A member of the mixed crowd that listens to a stream, and begins it again however it ends: from where it stood.

import { eventually } from "./client.ts";
import { pause } from "./load.ts";
import { Member, type HowCut, type Place } from "./mixed-crowd.ts";

/** After a loss, as EventSource waits; shorter. */
const RETRY_MS = 30;

export abstract class StreamMember extends Member {
  override readonly rooms: readonly string[];
  /** Rooms that said where they stand, on the stream of now. */
  protected readonly greeted = new Set<string>();
  readonly #over = new AbortController();
  #stream = new AbortController();
  #running: Promise<void> | undefined;

  constructor(place: Place, rooms: readonly string[]) {
    super(place);
    this.rooms = rooms;
  }

  /** One stream, till it ends. */
  protected abstract listen(signal: AbortSignal): Promise<void>;

  override async enter(): Promise<void> {
    this.#running = this.#run();
    await this.back();
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#stream = new AbortController();
      await this.listen(this.#stream.signal).catch(() => {});
      this.greeted.clear();
      await pause(RETRY_MS);
    }
  }

  override async cut(how: HowCut): Promise<void> {
    this.greeted.clear();
    if (how === "close") this.#stream.abort();
    else this.proxy.sever(how);
  }

  override async back(): Promise<void> {
    const isIn = async () => this.greeted.size === this.rooms.length;
    await eventually(isIn, `${this.name} is back`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#stream.abort();
    await this.#running;
    await super[Symbol.asyncDispose]();
  }
}
