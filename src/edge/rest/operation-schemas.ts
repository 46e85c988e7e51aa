// Schemas that several operations of the REST interface share. They validate requests, and are part of the OpenAPI
// document. The operation decides the meaning of a value for a hub.

import * as z from "zod/mini";
import { Target } from "../../dispatch/protocol-methods/room-methods.ts";

/** Azure's prefix of a hub's name. The router resolves it for every operation (rest-router.ts). */
export const Application = z
  .optional(z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/)))
  .check(
    z.describe(
      "Stands before the hub's name, with _ between: the hub {application}_{hub} is meant.",
    ),
  );

/** Ids of connections that the operation leaves out. The parameter may be repeated; unknown ids are ignored. */
export const Excluded = z.optional(
  z.array(z.string().check(z.maxLength(600))).check(z.maxLength(100)),
);

/** Text for the client, sent with the close or the stream's error. */
export const Reason = z.optional(z.string().check(z.maxLength(1_000)));

/** Absent and null are an empty list, as in Azure's SDKs. */
export const Arguments = z.nullish(z.array(z.unknown()).check(z.maxLength(100)));

/** Azure's `PayloadMessage`: an invocation of a client method, without a result. */
export const Message = z.strictObject({ target: Target, arguments: Arguments });
export type Message = z.output<typeof Message>;

/** A place in a room's log. Offsets are consecutive within an epoch; across epochs they are not comparable. */
export const Position = z.object({
  epoch: z.string(),
  offset: z.int().check(z.minimum(0)),
});
