// Where a page of connections ended, as a text that clients carry and do not read.

import { z } from "zod";
import { HubError } from "../../model/errors.ts";
import type { MembersCursor } from "../../rooms/rpc/members-page.ts";

const Written = z.tuple([z.string().max(1_024), z.string().max(1_024)]);

/** Objects' names in it are compared with those of the group's own objects, and never looked up. */
export const writePlace = ({ holder, id }: MembersCursor): string =>
  new TextEncoder()
    .encode(JSON.stringify([holder, id]))
    .toBase64({ alphabet: "base64url", omitPadding: true });

/** Throws `invalid_continuation`. */
export function readPlace(token: string): MembersCursor {
  try {
    const bytes = Uint8Array.fromBase64(token, { alphabet: "base64url" });
    const [holder, id] = Written.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return { holder, id };
  } catch {
    throw new HubError("invalid_continuation", "This continuation token is none of ours.");
  }
}
