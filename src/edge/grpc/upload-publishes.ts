// An upload of publications. Those that have arrived are sent to the hub in one frame; while the hub works on them,
// later ones wait at the caller, which HTTP's flow control slows down.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { HubError, publicError } from "../../model/errors.ts";
import type { Limits } from "../../model/options.ts";
import type {
  PublishRequest,
  UploadRequest,
  UploadResponseSchema,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import { depthError } from "../../protocols/json.ts";
import { limitsWithin } from "../../rooms/connection/connection-limits.ts";
import { untilAborted } from "./abort-signals.ts";
import {
  admittedCaller,
  callHubOf,
  checkExpiry,
  publishText,
  resultOf,
  type CallAnswer,
} from "./grpc-call.ts";
import { mixedUploadError } from "./grpc-errors.ts";

/** The messages of an upload. `rest` is read by one reader, one message at a time. */
interface Upload {
  readonly first: UploadRequest;
  readonly rest: AsyncIterator<UploadRequest>;
}

/** The most publications of one batch; a batch of long ones is sent as several frames. */
const BATCH_SIZE = 50;
/** Limits of the summary: the first failures, and the topics with the newest positions. */
const FAILURES_REPORTED = 20;
const TOPICS_REPORTED = 1_000;
/** Levels of JSON that the array around the calls adds. */
const FRAME_DEPTH = 1;

/**
 * Publishes in the order of the upload, and answers with a summary. A publication that fails is reported there, and
 * does not stop the others. Throws the errors of admission, `token_expired`, and the error that ends the upload;
 * publications made until then stay.
 */
export async function uploadPublishes(upload: Upload, hub: string, context: HandlerContext) {
  const caller = await admittedCaller(context, hub);
  const limits = limitsWithin(caller.served.settings.limits, caller.user);
  const summary = new Summary(caller.served.name, limits);
  for await (const batch of batchesOf(upload, context.signal)) {
    checkExpiry(caller.user);
    for (const frame of framesOf(summary.begin(batch), limits)) {
      const text = `[${frame.map((one) => one.text).join()}]`;
      // oxlint-disable-next-line no-await-in-loop -- in their order
      summary.count(frame, await callHubOf(caller, context, text));
    }
  }
  return summary.response;
}

/**
 * Yields the messages that have arrived, up to the size of a batch; at least one. While the hub publishes one batch,
 * the next one gathers. Only one message is read ahead of a full batch, so that the caller cannot fill the worker's
 * memory.
 */
async function* batchesOf({ first: begun, rest }: Upload, signal: AbortSignal) {
  // An error while a batch is being published is thrown with the next one.
  const read = () => {
    const reading = rest.next();
    reading.catch(() => {});
    return reading;
  };
  let next: Promise<IteratorResult<UploadRequest>> = Promise.resolve({ value: begun });
  for (;;) {
    const first = await untilAborted(signal, next);
    if (first.done) return;
    const batch = [first.value];
    next = read();
    const soon = scheduler.wait(0);
    while (batch.length < BATCH_SIZE) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const more = await Promise.race([next, soon]);
      if (!more || more.done) break;
      batch.push(more.value);
      next = read();
    }
    yield batch;
  }
}

/** A publication as the text of a call, whose id is its index. */
interface PublishCall {
  readonly index: number;
  readonly topic: string;
  readonly text: string;
}

/**
 * Splits calls into frames within the hub's limits of bytes and number, in order. A call that is too long gets a frame
 * of its own, so that only it is refused.
 */
function* framesOf(
  calls: readonly PublishCall[],
  { messageBytes, messagesPerFrame, queuedCalls }: Limits,
) {
  const most = Math.min(messagesPerFrame, queuedCalls);
  let [frame, size]: [PublishCall[], number] = [[], 2];
  for (const one of calls) {
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

/** The outcome of an upload. Its size is bounded, even if the upload never ends. */
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

  /** The batch as calls. Invalid ones are left out, and count as failed: they would cause their frame's refusal. */
  begin(batch: readonly UploadRequest[]): PublishCall[] {
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

  /** Messages after the first may leave out the hub; names of hubs are compared without case. */
  #publishIn({ kind }: UploadRequest): PublishRequest {
    if (kind.case !== "publish") throw mixedUploadError();
    const { hub } = kind.value;
    if (hub === "" || hub.toLowerCase() === this.#hub.toLowerCase()) return kind.value;
    throw new HubError("invalid_arguments", "An Upload is for one hub.");
  }

  /** Counts the answers to a frame. A frame that was refused as a whole has one answer, without an id. */
  count(frame: readonly PublishCall[], answers: readonly CallAnswer[]): void {
    const [whole] = answers.filter(({ id }) => id === null);
    for (const { index, topic } of frame) {
      const answer = whole ?? answers.find(({ id }) => id === index);
      try {
        const { position } = resultOf(answer ?? MISSING) as { position: string };
        this.#setPosition(topic, position);
        this.#accepted += 1;
      } catch (error) {
        this.#fail(index, error);
      }
    }
  }

  /** Beyond the limit, the topic whose position is the oldest is dropped. */
  #setPosition(topic: string, position: string): void {
    this.#positions.delete(topic);
    this.#positions.set(topic, position);
    if (this.#positions.size <= TOPICS_REPORTED) return;
    for (const oldest of this.#positions.keys()) return void this.#positions.delete(oldest);
  }

  #fail(index: number, error: unknown): void {
    const { code, message } = publicError(error);
    this.#failed += 1;
    if (this.#failures.length < FAILURES_REPORTED) this.#failures.push({ index, code, message });
  }

  /**
   * The summary. Topics are spelled as the caller did. Failures are sorted by index, since those found before sending
   * are recorded first.
   */
  get response(): MessageInitShape<typeof UploadResponseSchema> {
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      positions: Object.fromEntries(this.#positions),
      failures: this.#failures.toSorted((a, b) => a.index - b.index),
    };
  }
}

/** For a call that the hub left unanswered, which should not happen. */
const MISSING: CallAnswer = {
  id: null,
  error: { message: "It was not answered.", data: { code: "interrupted" } },
};
