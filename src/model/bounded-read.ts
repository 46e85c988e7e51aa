// What others send and let us wait for, within bounds of size and time.

/** Stops at the limit, and throws what `tooLarge` makes. */
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

/** Throws a TypeError for what is no UTF-8. */
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

/** The work, or what `late` makes after so many milliseconds. No timer is left behind: it would keep an object awake. */
export async function inTime<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(late()), ms);
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
