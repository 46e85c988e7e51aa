// Options over their default values.

/**
 * The options over the defaults. A member that is undefined counts as absent, because applications pass on optional
 * values, and `{ ...defaults, ...options }` would replace a default with undefined.
 */
export function withDefaults<D extends object, T extends object>(
  defaults: D,
  options: T | undefined,
): D & T {
  const all = { ...defaults, ...options } as D & T;
  for (const name in defaults) all[name] ??= defaults[name] as (D & T)[typeof name];
  return all;
}
