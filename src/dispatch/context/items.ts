// What hub code keeps beside a connection, across calls and sleep.

import { HubError } from "../../model/errors.ts";
import { toJson } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { ConnectionControl } from "../../rooms/object/host.ts";
import type { Items } from "../define/hub-context.ts";

/** Bytes of all items of a connection: they share its attachment with the token's claims. */
const MOST = 4_096;

/** Values are kept as JSON makes them, so that a wake changes nothing about them. */
export function itemsOf(control: Pick<ConnectionControl, "keep">, caller: Connection): Items {
  const all = (): Record<string, unknown> => ({ ...caller.attached.items });
  const keep = (items: Record<string, unknown>) => {
    const text = toJson(items);
    if (new TextEncoder().encode(text).length > MOST)
      throw new HubError("too_large", `A connection's items have ${MOST} bytes at most.`);
    control.keep(caller, { items: JSON.parse(text) as Record<string, unknown> });
  };
  return {
    get: (key) => {
      const items = caller.attached.items ?? {};
      return Object.hasOwn(items, key) ? items[key] : undefined;
    },
    set: (key, value) => keep(Object.fromEntries([...Object.entries(all()), [key, value]])),
    delete: (key) => keep(Object.fromEntries(Object.entries(all()).filter(([k]) => k !== key))),
    keys: () => Object.keys(all()),
  };
}
