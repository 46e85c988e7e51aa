// Reads of bodies and waits for promises, bounded by size and time.

/** The body's chunks. Throws the error of `tooLarge` at the chunk that exceeds `bytes`. */
export async function* chunksWithin(
  body: ReadableStream<Uint8Array> | null,
  bytes: number,
  tooLarge: () => Error,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > bytes) throw tooLarge();
    yield chunk;
  }
}

/** The body as UTF-8 text of at most `bytes` bytes. Throws a TypeError on ill-formed UTF-8. */
export async function textWithin(
  body: ReadableStream<Uint8Array> | null,
  bytes: number,
  tooLarge: () => Error,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  for await (const chunk of chunksWithin(body, bytes, tooLarge))
    text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/**
 * The result of `work`, or the error of `late` after `ms` milliseconds. `work` itself is not cancelled. The timer is
 * cleared either way: a pending one would keep a Durable Object awake.
 */
export async function withTimeout<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(late()), ms);
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
