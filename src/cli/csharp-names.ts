// Names, literals and comments of C#. Parameters are in camel case; type-names.ts makes the other names.

import { pascal } from "./type-names.ts";

/** A parameter's name; keywords get an @ in front. */
export function camel(text: string): string {
  const name = pascal(text);
  const lower = name[0]!.toLowerCase() + name.slice(1);
  return KEYWORDS.has(lower) ? `@${lower}` : lower;
}

/** Whether a text is the name of a namespace: words with dots between. */
export const isNamespace = (text: string): boolean =>
  text.split(".").every((word) => /^[A-Za-z_]\w*$/.test(word) && !KEYWORDS.has(word));

/** A text as a literal. JSON's escapes are valid in C#, which has three more line ends. */
export const literal = (text: string): string =>
  JSON.stringify(text).replaceAll(
    /[\u0085\u2028\u2029]/g,
    (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/** A text escaped for XML. */
export const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const KEYWORDS: ReadonlySet<string> = new Set(
  "abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator out override params private protected public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual void volatile while".split(
    " ",
  ),
);
