// Uploads: arguments that are streams. Finds them among a call's arguments, and sends their items no faster than the
// socket accepts them.

import { HubError } from "../../model/errors.ts";
import type { OutgoingMessage } from "../transport/send-queue.ts";
import { bytesOf, endText, itemText, messageOf } from "../transport/wire.ts";

export interface Upload {
  /** The stream id in the messages that carry its items. */
  readonly id: string;
  readonly source: AsyncIterable<unknown> | ReadableStream<unknown>;
}

/** Replaces each stream among the arguments by `{ "$stream": id }`. */
export function extractUploads(args: readonly unknown[], nextId: () => string) {
  const uploads: Upload[] = [];
  const plain = args.map((arg) => {
    if (!isSource(arg)) return arg;
    const id = nextId();
    uploads.push({ id, source: arg });
    return { $stream: id };
  });
  return { args: plain, uploads };
}

const isSource = (value: unknown): value is Upload["source"] =>
  typeof value === "object" &&
  value !== null &&
  (Symbol.asyncIterator in value || "getReader" in value);

export interface UploadChannel {
  post(message: OutgoingMessage): void;
  /** Sends the messages posted so far, and resolves when the socket's send buffer has room for more. */
  flush(): Promise<void>;
  /** Size limit of one message, in bytes. */
  readonly messageBytes: number;
}

/**
 * Items sent before a pause. The server buffers about a thousand unread items of an upload and has no backpressure, so
 * its reader needs a turn between two bursts.
 */
const ITEMS_PER_BURST = 100;

/**
 * Sends all items of an upload, then its end. If the source cannot be read or throws, or an item is too large, the
 * server is sent the error's message, and this rejects with the error. An abort of `signal`, also one before, stops the
 * source; an error after it has no effect, because the call is complete.
 */
export async function pump(
  { id, source }: Upload,
  channel: UploadChannel,
  signal: AbortSignal,
): Promise<void> {
  try {
    const iterator = iteratorOf(source);
    const stop = async (): Promise<unknown> => iterator.return?.();
    if (signal.aborted) return void (await stop());
    // Before the loop below, so that a source that never yields again is stopped as well.
    signal.addEventListener("abort", () => void stop().catch(() => {}));
    for (let count = 1; ; count++) {
      const next = await iterator.next();
      if (signal.aborted) return;
      if (next.done) return channel.post({ text: endText(id) });
      const text = checkSize(itemText(id, next.value), channel.messageBytes);
      channel.post({ text, mayWait: true });
      if (count % ITEMS_PER_BURST === 0) await channel.flush();
    }
  } catch (error) {
    if (signal.aborted) return;
    channel.post({ text: endText(id, messageOf(error)) });
    throw error;
  }
}

/**
 * Returns `text`, or throws `too_large`. Checked by the client, because the server does not read such a frame, and
 * cannot name its call. A UTF-16 unit takes three bytes at most, so that most texts need not be encoded.
 */
export function checkSize(text: string, messageBytes: number): string {
  const bytes = text.length * 3 > messageBytes ? bytesOf(text) : 0;
  if (bytes <= messageBytes) return text;
  throw new HubError(
    "too_large",
    `Message of ${bytes} bytes; the client's messageBytes is ${messageBytes}.`,
  );
}

/** Not every browser implements async iteration of a ReadableStream. Nothing uses the result of `return`. */
function iteratorOf(source: Upload["source"]): AsyncIterator<unknown> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  const reader = (source as ReadableStream<unknown>).getReader();
  const iterator: unknown = { next: () => reader.read(), return: () => reader.cancel() };
  return iterator as AsyncIterator<unknown>;
}
