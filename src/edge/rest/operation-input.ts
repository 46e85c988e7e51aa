// The input of an operation as text of the request: parameters of the path and of the query, and their validation by
// the operation's schemas. Bodies are read by rest-body.ts.

import type { ZodMiniType } from "zod/mini";
import english from "zod/v4/locales/en.js";
import { HubError } from "../../model/errors.ts";
import { issueText } from "../../model/received-kind.ts";
import { decodePathSegment } from "../admit/request-target.ts";

/** Names of a pattern's parameters, by the index of their segment. */
export type PathPattern = ReadonlyMap<number, string>;

/** Parses a pattern with parameters in braces. */
export const pathPattern = (pattern: string): PathPattern =>
  new Map(
    pattern.split("/").flatMap((part, index) => {
      const name = /^\{(?<name>\w+)\}$/.exec(part)?.groups?.["name"];
      return name === undefined ? [] : [[index, name] as const];
    }),
  );

/**
 * The values of a pattern's parameters, percent-decoded once. The path must match the pattern, as the router ensures.
 * Throws `invalid_name`.
 */
export function pathParameters(
  pattern: PathPattern,
  pathname: string,
): ReadonlyMap<string, string> {
  const segments = pathname.split("/");
  const values = new Map<string, string>();
  for (const [index, name] of pattern) values.set(name, decodePathSegment(segments[index] ?? ""));
  return values;
}

/** Numeric parameters. If one is empty it counts as absent: Zod would coerce the empty text to 0. */
const NUMBERS = ["ttl", "limit", "maxpagesize", "top", "minutesToExpire"];

/**
 * The query as an object for a schema. `excluded` becomes a list, and may be repeated; of every other parameter the
 * first value counts. Throws `invalid_arguments`.
 */
export function queryParameters(params: URLSearchParams): object {
  if (params.size === 0) return {};
  const empty = NUMBERS.find((name) => params.get(name)?.trim() === "");
  if (empty) throw new HubError("invalid_arguments", `query.${empty}: a number is missing.`);
  const query = new Map<string, string | string[]>([...params].toReversed());
  if (params.has("excluded")) query.set("excluded", params.getAll("excluded"));
  return Object.fromEntries(query);
}

/** The texts of validation errors, which `zod/mini` does not include. */
const { localeError: error } = english();

/**
 * The validated value, with defaults filled in. Throws `invalid_arguments` with the path and the reason of the first
 * problem; `where` is the path's first part.
 */
export function validate<T>(schema: ZodMiniType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value, { error });
  if (result.success) return result.data;
  const { issues } = result.error;
  throw new HubError("invalid_arguments", issueText(where, issues, { value, dotted: true }));
}
