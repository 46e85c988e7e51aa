// Assertions about types, for tests that are compiled and never run.

/** Whether two types are the same, not only assignable to each other. */
export type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only if the type is `true`. */
export const expect = <T extends true>(): T | void => {};
