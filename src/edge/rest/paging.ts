// Continuation tokens of listings: the cursor at which a page ended, as opaque text. A token is not signed: it is only
// a position within the listing that is requested, and grants nothing.

import * as z from "zod/mini";
import { HubError } from "../../model/errors.ts";
import type { MembersCursor } from "../../rooms/rpc/members-page.ts";

/** Holder and connection id. A token whose parts are longer than an object's name was not made by `writePlace`. */
const Written = z.tuple([
  z.string().check(z.maxLength(1_024)),
  z.string().check(z.maxLength(1_024)),
]);

/** The holder is only compared with names of the group's own objects, and never used to look an object up. */
export const writePlace = ({ holder, id }: MembersCursor): string =>
  new TextEncoder()
    .encode(JSON.stringify([holder, id]))
    .toBase64({ alphabet: "base64url", omitPadding: true });

/** Reads a token that `writePlace` made. Throws `invalid_continuation`. */
export function readPlace(token: string): MembersCursor {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    const [holder, id] = Written.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { holder, id };
  } catch {
    throw new HubError("invalid_continuation", "This continuation token is invalid.");
  }
}
