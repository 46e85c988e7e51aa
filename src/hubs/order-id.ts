// Ids of orders, as clients send them: text, a number, or a GUID in any case. Rooms differ by case: that of a GUID has
// the name in small letters, also where a URL or a service names it.

import * as z from "zod/mini";

/** `42` and `"42"` are one order, and so are a GUID's capitals and small letters: GUIDs are compared by value. */
export const OrderId = z.union([
  z.guid().check(z.toLowerCase()),
  z.string().check(z.minLength(1), z.maxLength(128)),
  z.int(),
  z.bigint(),
]);

/** An order's id. Clients receive it in the form in which it was sent. */
export type OrderId = z.output<typeof OrderId>;

/** The name of the order's room. */
export const roomOf = (id: OrderId): string => String(id);
