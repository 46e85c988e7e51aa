// Methods and actions return one result; only a stream returns items. A generator of a method would be sent as `{}`. So
// it is refused by the compiler, when the hub is declared (check-members.ts), and when a call returns items.

import { serverError } from "../../model/errors.ts";
import { givesItems, type GivesItems } from "../../model/iterables.ts";

/** Refuses handlers whose result type `T` includes a part of `Bad`, with a sentence as the type of `handle`. */
export type Without<T, Bad, Sentence extends string> = 0 extends 1 & T
  ? unknown
  : [Extract<T, Bad>] extends [never]
    ? unknown
    : { readonly handle: Sentence };

/** Refuses methods that return items. */
export type OneResult<M> = {
  readonly [K in keyof M]: M[K] extends {
    readonly kind: "method";
    readonly handle: (...args: any[]) => infer T;
  }
    ? Without<Awaited<T>, GivesItems, "A method returns one result: declare a stream.">
    : unknown;
};

/** The result of a method, unchanged. Throws `wrong_kind` for a result with items. */
export function oneResult<T>(target: string, result: T): T {
  if (!givesItems(result)) return result;
  const sentence = `The value returned by the non-streaming method '${target}' is a stream of items.`;
  throw serverError("wrong_kind", sentence);
}
