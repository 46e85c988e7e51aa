// Reads request bodies up to a limit of bytes. A larger body is refused without being read to its end.

import { chunksWithin } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";

/**
 * Throws `unsupported_media_type` for a compressed body, so that no body is larger than its bytes on the wire; and
 * `too_large`: before the first byte is read, if the length was declared.
 */
export async function bodyWithin(request: Request, most: number): Promise<ArrayBuffer> {
  const coding = request.headers.get("content-encoding") ?? "";
  if (!/^(?:identity)?$/i.test(coding))
    throw new HubError("unsupported_media_type", "A body is not compressed: no Content-Encoding.");
  const length = request.headers.get("content-length");
  if (Number(length) > most) throw tooLarge(most);
  // Reading a whole body costs a fraction of reading chunks. HTTP holds the client to the declared length.
  if (length !== null) return checkSize(await request.arrayBuffer(), most);
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksWithin(request.body, most, () => tooLarge(most)))
    chunks.push(chunk);
  return new Blob(chunks).arrayBuffer();
}

function checkSize(body: ArrayBuffer, most: number): ArrayBuffer {
  if (body.byteLength > most) throw tooLarge(most);
  return body;
}

const tooLarge = (most: number) => new HubError("too_large", `A body has ${most} bytes at most.`);

/** The text of a body, without its byte order mark; undefined if it is not UTF-8. */
export function utf8Text(body: ArrayBuffer | Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    // The only error of a fatal decoder.
    return undefined;
  }
}
