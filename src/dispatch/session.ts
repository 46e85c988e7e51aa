// What a connection has open while the object is awake: calls in their order, streams both ways, questions to the
// client. Lost with the object's memory; what a loss must not leave unanswered is remembered by the host.

import { HubError } from "../model/errors.ts";
import type { CallId } from "../model/message.ts";
import type { Connection } from "../rooms/connection.ts";
import type { Host } from "../rooms/receiver.ts";
import { Questions } from "./questions.ts";
import { bucket, type Bucket } from "./rate.ts";
import { Upload } from "./uploads.ts";

/** A call that has begun or waits for its turn. */
export interface OpenCall {
  readonly id: CallId | undefined;
  cancel(error: HubError): void;
}

export class Session {
  readonly host: Host;
  readonly connection: Connection;
  readonly questions: Questions;
  readonly rate: Bucket;
  readonly #calls = new Map<CallId, OpenCall>();
  readonly #anonymous = new Set<OpenCall>();
  readonly #streams = new Set<OpenCall>();
  readonly #uploads = new Map<string, Upload>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  malformedInARow = 0;

  constructor(host: Host, connection: Connection) {
    const { limits } = host.settings;
    this.host = host;
    this.connection = connection;
    this.questions = new Questions(limits.answerSeconds);
    this.rate = bucket(limits.callsPerSecond, limits.callBurst);
  }

  has(id: CallId): boolean {
    return this.#calls.has(id);
  }

  get(id: CallId): OpenCall | undefined {
    return this.#calls.get(id);
  }

  begin(call: OpenCall): void {
    if (call.id === undefined) this.#anonymous.add(call);
    else this.#calls.set(call.id, call);
  }

  /** A call that lasts: a stream, or one that reads a stream. Throws `too_many_streams`. */
  beginStream(call: OpenCall): void {
    const { streamsPerConnection } = this.host.settings.limits;
    if (this.#streams.size >= streamsPerConnection)
      throw new HubError("too_many_streams", `${streamsPerConnection} streams are open already.`);
    this.#streams.add(call);
    this.#remember();
  }

  endStream(call: OpenCall): void {
    if (this.#streams.delete(call)) this.#remember();
  }

  /** A wake without memory must be able to say that these are lost. */
  #remember(): void {
    const ids = [...this.#streams].flatMap(({ id }) =>
      id === undefined ? [] : JSON.stringify(id),
    );
    this.host.remember(this.connection, ids);
  }

  end(call: OpenCall): void {
    if (call.id === undefined) this.#anonymous.delete(call);
    else if (this.#calls.get(call.id) === call) this.#calls.delete(call.id);
  }

  /** Runs calls one after another, or as many at once as the hub allows. Throws `rate_limited` when too many wait. */
  inTurn(run: (release: () => void) => Promise<void>): void {
    const { limits } = this.host.settings;
    if (this.#running < limits.parallelCalls) return this.#start(run);
    if (this.#waiting.length >= limits.queuedCalls)
      throw new HubError("rate_limited", `${limits.queuedCalls} calls are waiting already.`);
    this.#waiting.push(() => this.#start(run));
  }

  #start(run: (release: () => void) => Promise<void>): void {
    this.#running++;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      this.#running--;
      this.#waiting.shift()?.();
    };
    void run(release).finally(release);
  }

  /** Opens a stream of the client's. Throws `duplicate_id` or `too_many_streams`. */
  openUpload(id: string): Upload {
    const { streamsPerConnection, streamBuffer, queuedBytes } = this.host.settings.limits;
    if (this.#uploads.has(id)) throw new HubError("duplicate_id", `Stream ${id} is open already.`);
    if (this.#uploads.size >= streamsPerConnection)
      throw new HubError("too_many_streams", `${streamsPerConnection} streams are open already.`);
    const upload = new Upload({ items: streamBuffer, bytes: queuedBytes });
    this.#uploads.set(id, upload);
    return upload;
  }

  upload(id: string): Upload | undefined {
    return this.#uploads.get(id);
  }

  closeUpload(id: string): void {
    this.#uploads.get(id)?.end(null);
    this.#uploads.delete(id);
  }

  /** The connection is gone: nothing that waits for it shall wait longer. */
  close(): void {
    const error = new HubError("interrupted", "The connection is gone.");
    this.#waiting.length = 0;
    for (const call of [...this.#calls.values(), ...this.#anonymous]) call.cancel(error);
    for (const upload of this.#uploads.values()) upload.end(error);
    this.questions.close();
  }
}
