// Arguments that are sent in pieces: found among the others, and pumped no faster than the socket takes them.

import type { Parcel } from "../transport/send-queue.ts";
import { bytesOf, endText, itemText } from "../transport/wire.ts";
import { HubError } from "../../model/errors.ts";

export interface Upload {
  readonly id: string;
  readonly source: AsyncIterable<unknown> | ReadableStream<unknown>;
}

/** Puts `{ "$stream": id }` where a stream stands. */
export function detach(args: readonly unknown[], nextId: () => string) {
  const uploads: Upload[] = [];
  const given = args.map((arg) => {
    if (!isSource(arg)) return arg;
    const id = nextId();
    uploads.push({ id, source: arg });
    return { $stream: id };
  });
  return { args: given, uploads };
}

const isSource = (value: unknown): value is Upload["source"] =>
  typeof value === "object" &&
  value !== null &&
  (Symbol.asyncIterator in value || "getReader" in value);

export interface Pipe {
  post(parcel: Parcel): void;
  /** Resolves when the socket has taken what it was given. */
  drained(): Promise<void>;
  readonly messageBytes: number;
}

/**
 * The server keeps about a thousand unread items of an upload and cannot push back, so between two bursts its reader
 * gets a turn.
 */
const ITEMS_PER_TURN = 100;

/** Throws what the source throws, after the server was told. An aborted one ends silently. */
export async function pump({ id, source }: Upload, pipe: Pipe, stop: AbortSignal): Promise<void> {
  const iterator = iteratorOf(source);
  // A source that waits for ever must hear of it, too; how it takes it is its own affair.
  stop.addEventListener("abort", () => void end(iterator));
  try {
    await pour(iterator, id, { pipe, stop });
  } catch (error) {
    if (stop.aborted) return;
    pipe.post({ text: endText(id, error instanceof Error ? error.message : String(error)) });
    void end(iterator);
    throw error;
  }
}

async function pour(
  iterator: AsyncIterator<unknown>,
  id: string,
  { pipe, stop }: { pipe: Pipe; stop: AbortSignal },
): Promise<void> {
  for (let sent = 1; ; sent++) {
    const next = await iterator.next();
    if (stop.aborted) return;
    if (next.done) return pipe.post({ text: endText(id) });
    pipe.post({ text: fitting(itemText(id, next.value), pipe.messageBytes), isPatient: true });
    if (sent % ITEMS_PER_TURN === 0) await pipe.drained();
  }
}

/** The server could not say whose item it refuses, so it is refused here. */
export function fitting(text: string, messageBytes: number): string {
  const bytes = text.length * 3 > messageBytes ? bytesOf(text) : 0;
  if (bytes <= messageBytes) return text;
  throw new HubError("too_large", `Message of ${bytes} bytes; ${messageBytes} allowed.`);
}

async function end(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Nobody waits for how the source ends.
  }
}

/** Not every browser can iterate a ReadableStream. */
function iteratorOf(source: Upload["source"]): AsyncIterator<unknown> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  const reader = (source as ReadableStream<unknown>).getReader();
  return {
    next: async () => (await reader.read()) as IteratorResult<unknown>,
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
