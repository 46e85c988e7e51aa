// Methods and actions give one result; only a stream gives items. A generator in their place would answer `{}`: it is
// refused where it is compiled, where the hub is declared (check-members.ts), and where a call returns it.

import { serverError } from "../../model/errors.ts";
import { givesItems, type GivesItems } from "../../model/iterables.ts";

/** Refuses handlers whose result `T` has something of `Bad`, with a sentence in their place. */
export type Without<T, Bad, Sentence extends string> = 0 extends 1 & T
  ? unknown
  : [Extract<T, Bad>] extends [never]
    ? unknown
    : { readonly handle: Sentence };

/** Refuses methods that give items. */
export type OneResult<M> = {
  readonly [K in keyof M]: M[K] extends {
    readonly kind: "method";
    readonly handle: (...args: any[]) => infer T;
  }
    ? Without<Awaited<T>, GivesItems, "A method returns one result: declare a stream.">
    : unknown;
};

/** The result of a method as it is. Throws `wrong_kind` for one that gives items. */
export function oneResult<T>(target: string, result: T): T {
  if (!givesItems(result)) return result;
  const sentence = `The value returned by the non-streaming method '${target}' is a stream of items.`;
  throw serverError("wrong_kind", sentence);
}
