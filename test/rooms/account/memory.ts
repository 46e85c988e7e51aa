// Keys and values in memory, as an account uses those of its object.

import type { KeyValues } from "../../../src/model/stored-values.ts";

export function memory(): KeyValues {
  const values = new Map<string, unknown>();
  return {
    get: (key: string) => values.get(key),
    put: (key: string, value: unknown) => void values.set(key, value),
    delete: (key: string) => values.delete(key),
    list: ({ start = "", end = "~" } = {}) =>
      [...values].filter(([key]) => start <= key && key < end),
  } as unknown as KeyValues;
}
