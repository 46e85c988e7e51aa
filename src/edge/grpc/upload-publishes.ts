// Many publishes in one call: what has come goes to the hub together, and what comes meanwhile waits with the caller.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HubError, publicError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import type {
  PublishRequest,
  UploadRequest,
  UploadResponseSchema,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { depthError } from "../../protocols/hostile-json.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import {
  answers,
  callerIn,
  checkTime,
  publishText,
  resultOf,
  within,
  type Answer,
} from "./grpc-call.ts";
import { mixed, type Upload } from "./upload-reader.ts";

/** Messages that the hub is asked to say at once; fewer where they are long. */
const A_BATCH = 50;
const FAILURES_TOLD = 20;
const TOPICS_TOLD = 1_000;
/** Of the array around the calls. */
const FRAME_DEPTH = 1;

/** Messages are said in their order. What is wrong with the call itself ends it; what was said by then was said. */
export async function publishes(upload: Upload, hub: string, context: HandlerContext) {
  const caller = await callerIn(context, hub);
  const limits = limitsWithin(caller.served.settings.limits, caller.user);
  const summary = new Summary(caller.served.name, limits);
  for await (const batch of gathered(upload, context.signal)) {
    checkTime(caller.user);
    for (const frame of frames(summary.begin(batch), limits)) {
      const text = `[${frame.map((one) => one.text).join()}]`;
      // oxlint-disable-next-line no-await-in-loop -- in their order
      summary.count(frame, await answers(caller, context, text));
    }
  }
  return summary.response;
}

/** One message more than it gives is read, and no more. */
async function* gathered({ first: begun, rest }: Upload, signal: AbortSignal) {
  // What goes wrong while a batch is said is met with the next one.
  const read = () => {
    const reading = rest.next();
    reading.catch(() => {});
    return reading;
  };
  let next: Promise<IteratorResult<UploadRequest>> = Promise.resolve({ value: begun });
  for (;;) {
    const first = await within(signal, next);
    if (first.done) return;
    const batch = [first.value];
    next = read();
    const soon = scheduler.wait(0);
    while (batch.length < A_BATCH) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const more = await Promise.race([next, soon]);
      if (!more || more.done) break;
      batch.push(more.value);
      next = read();
    }
    yield batch;
  }
}

/** A message as a call. */
interface Said {
  readonly index: number;
  readonly topic: string;
  readonly text: string;
}

/** As many as a frame may hold; one that is too long goes alone, and is refused alone. */
function* frames(said: readonly Said[], { messageBytes, messagesPerFrame, queuedCalls }: Limits) {
  const most = Math.min(messagesPerFrame, queuedCalls);
  let [frame, size]: [Said[], number] = [[], 2];
  for (const one of said) {
    const length = new TextEncoder().encode(one.text).byteLength + 1;
    if (frame.length > 0 && (size + length > messageBytes || frame.length >= most)) {
      yield frame;
      [frame, size] = [[], 2];
    }
    frame.push(one);
    size += length;
  }
  if (frame.length > 0) yield frame;
}

/** What became of the messages of one call. */
class Summary {
  readonly #hub: string;
  readonly #depth: number;
  readonly #positions = new Map<string, string>();
  readonly #failures: { index: number; code: string; message: string }[] = [];
  #begun = 0;
  #accepted = 0;
  #failed = 0;

  constructor(hub: string, { depth }: Limits) {
    this.#hub = hub;
    this.#depth = depth - FRAME_DEPTH;
  }

  /** What cannot be said at all has failed already, and spoils no frame. */
  begin(batch: readonly UploadRequest[]): Said[] {
    return batch.flatMap((request) => {
      const index = this.#begun++;
      try {
        const publish = this.#publishIn(request);
        const text = publishText(index, publish);
        const tooDeep = depthError(text, this.#depth);
        if (tooDeep) throw tooDeep;
        return [{ index, topic: publish.topic, text }];
      } catch (error) {
        this.#fail(index, error);
        return [];
      }
    });
  }

  #publishIn({ kind }: UploadRequest): PublishRequest {
    if (kind.case !== "publish") throw mixed();
    const { hub } = kind.value;
    if (hub === "" || hub.toLowerCase() === this.#hub.toLowerCase()) return kind.value;
    throw new HubError("invalid_arguments", "One Upload is of one hub.");
  }

  /** A frame that is refused as a whole is answered once, without an id. */
  count(frame: readonly Said[], said: readonly Answer[]): void {
    const [whole] = said.filter(({ id }) => id === null);
    for (const { index, topic } of frame) {
      const answer = whole ?? said.find(({ id }) => id === index);
      try {
        const { position } = resultOf(answer ?? LOST) as { position: string };
        this.#stand(topic, position);
        this.#accepted += 1;
      } catch (error) {
        this.#fail(index, error);
      }
    }
  }

  /** The newest are told, and an upload without end is not remembered without end. */
  #stand(topic: string, position: string): void {
    this.#positions.delete(topic);
    this.#positions.set(topic, position);
    if (this.#positions.size <= TOPICS_TOLD) return;
    for (const oldest of this.#positions.keys()) return void this.#positions.delete(oldest);
  }

  #fail(index: number, error: unknown): void {
    const { code, message } = publicError(error);
    this.#failed += 1;
    if (this.#failures.length < FAILURES_TOLD) this.#failures.push({ index, code, message });
  }

  get response(): MessageInitShape<typeof UploadResponseSchema> {
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      positions: Object.fromEntries(this.#positions),
      failures: this.#failures.toSorted((a, b) => a.index - b.index),
    };
  }
}

const LOST: Answer = {
  id: null,
  error: { message: "It was not answered.", data: { code: "interrupted" } },
};
