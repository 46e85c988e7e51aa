// The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), which is equivalent to the member
// `idempotency_key` of a publication.

import { HubError } from "../../model/errors.ts";
import { isIdempotencyKey, MAX_IDEMPOTENCY_KEY } from "../../model/wire-constants.ts";

export const IDEMPOTENCY_KEY = "Idempotency-Key";

/**
 * The key of a request; undefined without one. The draft puts the key in quotes, most services do not: both forms are
 * read. Throws `invalid_arguments` for a key that is empty or too long.
 */
export function headerKey({ headers }: Request): string | undefined {
  const header = headers.get(IDEMPOTENCY_KEY)?.trim();
  if (header === undefined) return undefined;
  const quoted = /^"(?<text>(?:[^"\\]|\\["\\])*)"$/.exec(header)?.groups?.["text"];
  const key = quoted?.replaceAll(/\\(.)/g, "$1") ?? header;
  if (isIdempotencyKey(key)) return key;
  throw new HubError(
    "invalid_arguments",
    `${IDEMPOTENCY_KEY}: 1 to ${MAX_IDEMPOTENCY_KEY} characters are expected (received: ${[...key].length}).`,
  );
}

/** Throws `invalid_arguments` if header and body have different keys: which of them counts would be unclear. */
export function oneKey(header: string | undefined, member: string | undefined): string | undefined {
  if (header !== undefined && member !== undefined && header !== member)
    throw new HubError(
      "invalid_arguments",
      `${IDEMPOTENCY_KEY} and body.idempotency_key are different keys.`,
    );
  return member ?? header;
}
