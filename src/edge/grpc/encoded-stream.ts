// A stream's messages past Connect's pipeline, which costs as much for each of them as all the rest: they are encoded
// once for all streams that hear them, and those of a frame leave in one piece. How a stream begins and ends is Connect's.

import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { createContextKey } from "@connectrpc/connect";
import {
  SubscribeResponseSchema,
  type SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Body } from "./grpc-body.ts";
import type { Queue } from "../stream/slow-reader-queue.ts";

/** What a handler that has said its first message fills from then on. */
export interface Outlet {
  queue?: Queue<Uint8Array>;
}

export const OUTLET = createContextKey<Outlet | undefined>(undefined);

/** What Connect writes, with what comes by the outlet after its first piece; it ends once the caller was heard out. */
export function merged(
  body: AsyncIterable<Uint8Array>,
  outlet: Outlet,
  heard: Pick<Body, "drain">,
): AsyncIterable<Uint8Array> {
  const own = body[Symbol.asyncIterator]();
  const pieces = inTurn(own, outlet, heard);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      // The reader is gone: nothing may wait for it.
      async throw(reason: unknown) {
        outlet.queue?.end(reason);
        await own.throw?.(reason);
        return pieces.return(undefined);
      },
    }),
  };
}

async function* inTurn(
  own: AsyncIterator<Uint8Array>,
  outlet: Outlet,
  heard: Pick<Body, "drain">,
): AsyncGenerator<Uint8Array> {
  const first = await own.next();
  if (first.done) return;
  yield first.value;
  try {
    if (outlet.queue) yield* outlet.queue.read();
  } catch {
    // Why it ended is what Connect says last.
  }
  for (let last = await own.next(); !last.done; last = await own.next()) yield last.value;
  await heard.drain();
}

const HEAD_BYTES = 5;

/** As Connect and gRPC-Web alike have it: no flags, the length, the message. */
export function envelopeOf(message: SubscribeResponse, isJson: boolean): Uint8Array {
  const bytes = isJson
    ? new TextEncoder().encode(toJsonString(SubscribeResponseSchema, message))
    : toBinary(SubscribeResponseSchema, message);
  const envelope = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(envelope.buffer).setUint32(1, bytes.length);
  envelope.set(bytes, HEAD_BYTES);
  return envelope;
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
