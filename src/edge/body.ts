// A request's body, within a limit: what is longer is not read to its end.

import { HubError } from "../model/errors.ts";

/** Throws `too_large`. */
export async function bodyWithin(request: Request, most: number): Promise<ArrayBuffer> {
  if (Number(request.headers.get("content-length") ?? 0) > most) throw tooLarge(most);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > most) throw tooLarge(most);
    chunks.push(chunk);
  }
  return new Blob(chunks).arrayBuffer();
}

const tooLarge = (most: number) => new HubError("too_large", `A body has ${most} bytes at most.`);
