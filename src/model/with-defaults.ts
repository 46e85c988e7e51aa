// Options over their default values.

/**
 * The options over the defaults. A member that is undefined counts as absent: applications pass on what they may not
 * have themselves, and `{ ...defaults, ...options }` would put their undefined in place of a default.
 */
export function withDefaults<D extends object, T extends object>(
  defaults: D,
  options: T | undefined,
): D & T {
  const all = { ...defaults, ...options } as D & T;
  for (const name in defaults) all[name] ??= defaults[name] as (D & T)[typeof name];
  return all;
}
