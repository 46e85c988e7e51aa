// A bypass around Connect's pipeline for the messages of a stream. For each message the pipeline costs as much as all
// other work together. Through the outlet, a message is encoded once for all streams, and the messages of a frame are
// one write. The beginning and the end of a stream are still written by Connect.

import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { createContextKey } from "@connectrpc/connect";
import {
  SubscribeResponseSchema,
  type SubscribeResponse,
} from "../../protocols/proto/dormouse/v1/hub_pb.ts";
import type { Body } from "./grpc-body.ts";
import type { Queue } from "../stream/slow-reader-queue.ts";

/** The handler sets the queue before it yields its first message, and yields no other until the queue has ended. */
export interface Outlet {
  queue?: Queue<Uint8Array>;
}

export const OUTLET = createContextKey<Outlet | undefined>(undefined);

/**
 * The response's body: Connect's first piece, then the pieces of the outlet, then the rest of Connect's, which has the
 * status. Ends only after the request's body is drained. A reader that stops early ends the queue and the handler.
 */
export function mergeOutlet(
  body: AsyncIterable<Uint8Array>,
  outlet: Outlet,
  request: Pick<Body, "drain">,
): AsyncIterable<Uint8Array> {
  const own = body[Symbol.asyncIterator]();
  const pieces = piecesOf(own, outlet, request);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => pieces.next(),
      // The generator may be waiting for the queue, and cannot return before the queue ends.
      async throw(reason: unknown) {
        outlet.queue?.end(reason);
        await own.throw?.(reason);
        return pieces.return(undefined);
      },
    }),
  };
}

/** Connect writes the first piece with the headers. If the handler fails earlier there is neither piece nor queue. */
async function* piecesOf(
  own: AsyncIterator<Uint8Array>,
  outlet: Outlet,
  request: Pick<Body, "drain">,
): AsyncGenerator<Uint8Array> {
  const first = await own.next();
  if (first.done) return;
  yield first.value;
  try {
    if (outlet.queue) yield* outlet.queue.read();
  } catch {
    // The handler has got the same error, and Connect writes it as the stream's status.
  }
  for (let last = await own.next(); !last.done; last = await own.next()) yield last.value;
  await request.drain();
}

/** A byte of flags and four of the message's length. */
const HEAD_BYTES = 5;

/** The message in its envelope, equal in Connect and gRPC-Web; the flags 0 mean neither compressed nor the last. */
export function envelopeOf(message: SubscribeResponse, isJson: boolean): Uint8Array {
  const bytes = isJson
    ? new TextEncoder().encode(toJsonString(SubscribeResponseSchema, message))
    : toBinary(SubscribeResponseSchema, message);
  const envelope = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(envelope.buffer).setUint32(1, bytes.length);
  envelope.set(bytes, HEAD_BYTES);
  return envelope;
}
