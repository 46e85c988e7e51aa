// A request's body, within a limit: what is longer is not read to its end.

import { chunksWithin } from "../../model/bounded-read.ts";
import { HubError } from "../../model/errors.ts";

/** Throws `too_large`. */
export async function bodyWithin(request: Request, most: number): Promise<ArrayBuffer> {
  const length = request.headers.get("content-length");
  if (Number(length) > most) throw tooLarge(most);
  // Read by the engine, at a fraction of what chunks cost here; HTTP holds the client to the length it said.
  if (length !== null) return fitting(await request.arrayBuffer(), most);
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksWithin(request.body, most, () => tooLarge(most)))
    chunks.push(chunk);
  return new Blob(chunks).arrayBuffer();
}

function fitting(body: ArrayBuffer, most: number): ArrayBuffer {
  if (body.byteLength > most) throw tooLarge(most);
  return body;
}

const tooLarge = (most: number) => new HubError("too_large", `A body has ${most} bytes at most.`);
