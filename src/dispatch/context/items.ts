// The items of a connection: values that hub code stores with it, in the attachment of its socket. They last as long as
// the connection, across calls and the hibernation of its object.

import { HubError } from "../../model/errors.ts";
import { ownCopy } from "../../model/plain-json.ts";
import { toJson } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { ConnectionControl } from "../../rooms/object/host.ts";
import type { Items } from "../define/hub-context.ts";

/** Bytes of JSON for all items of a connection. They share the attachment (16,384 bytes) with the token's claims. */
const MAX_BYTES = 4_096;

/**
 * The items of one connection. Values are converted to JSON when they are set, so that they are the same before and
 * after hibernation.
 */
export function itemsOf(control: Pick<ConnectionControl, "keep">, caller: Connection): Items {
  const all = (): Record<string, unknown> => ({ ...caller.attached.items });
  const store = (items: Record<string, unknown>) => {
    const text = toJson(items);
    if (new TextEncoder().encode(text).length > MAX_BYTES)
      throw new HubError("too_large", `A connection's items have ${MAX_BYTES} bytes at most.`);
    control.keep(caller, { items: JSON.parse(text) as Record<string, unknown> });
  };
  return {
    get: (key) => {
      const items = caller.attached.items ?? {};
      // A copy: a change of it without `set` would be there until the object sleeps.
      return Object.hasOwn(items, key) ? ownCopy(items[key]) : undefined;
    },
    set: (key, value) => store(Object.fromEntries([...Object.entries(all()), [key, value]])),
    delete: (key) => store(Object.fromEntries(Object.entries(all()).filter(([k]) => k !== key))),
    keys: () => Object.keys(all()),
  };
}
