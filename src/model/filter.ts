// Filters of connections in the subset of OData that Azure's `:execute` takes: comparisons, tests and membership over
// `userId`, `connectionId` and `groups`. Parsed at the edge, evaluated in each object. Pure. Grammar:
// learn.microsoft.com/azure/azure-web-pubsub/reference-odata-filter.

import { HubError } from "./errors.ts";

/** The attributes of a connection that a filter can name. */
interface FilterSubject {
  readonly userId: string;
  readonly connectionId: string;
  readonly groups: readonly string[];
  /** Its rooms of other kinds, as topics. */
  readonly rooms: readonly string[];
}

/** A parsed filter: plain data, so that it can be sent from the edge to objects over RPC. */
export type Filter =
  | { readonly type: "and" | "or"; readonly all: readonly Filter[] }
  | { readonly type: "not"; readonly one: Filter }
  | { readonly type: "compare"; readonly by: Comparison; readonly a: Value; readonly b: Value }
  | { readonly type: "in"; readonly one: Value; readonly list: List }
  | { readonly type: "test"; readonly by: Test; readonly a: Value; readonly b: Value };

type Value =
  | { readonly type: "literal"; readonly value: string | number | null }
  | { readonly type: "name"; readonly name: "userId" | "connectionId" }
  | { readonly type: "call"; readonly by: Change; readonly of: Value };

/** `rooms` is only made by `withRooms`: services write `groups`. */
type List = readonly Value[] | "groups" | "rooms";

const COMPARISONS = ["eq", "ne", "gt", "ge", "lt", "le"] as const;
type Comparison = (typeof COMPARISONS)[number];
const TESTS = ["startswith", "endswith", "contains"] as const;
type Test = (typeof TESTS)[number];
const CHANGES = ["tolower", "toupper", "trim", "length"] as const;
type Change = (typeof CHANGES)[number];

const isWordOf = <T extends string>(words: readonly T[], word: string | undefined): word is T =>
  (words as readonly (string | undefined)[]).includes(word);

/** Longest filter, in UTF-16 units. Bounds parsing; no honest filter comes near it. */
const MAX_CHARS = 2_000;
/** Deepest nesting of parentheses, `not` and function calls. Bounds recursion, here and in `matches`. */
const MAX_DEPTH = 32;

/** One token after optional blanks. Sticky (`y`): matching continues exactly where the last token ended. */
const TOKEN =
  /\s*(?:(?<string>'(?:[^']|'')*')|(?<number>-?\d{1,15})|(?<word>[A-Za-z]+)|(?<sign>[(),]))/y;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const { string, number, word, sign } = TOKEN.exec(trimmed)?.groups ?? {};
    const token = string ?? number ?? word ?? sign;
    if (token === undefined) throw invalid(`what stands at ${at} is not understood`);
    tokens.push(token);
  }
  return tokens;
}

const invalid = (what: string): HubError =>
  new HubError("invalid_filter", `The filter is not supported: ${what}.`);

/**
 * Parses a filter; its texts are in NFC, as names are. Throws `invalid_filter`, with the position or token at fault in
 * the message.
 */
export function parseFilter(text: string): Filter {
  if (text.length > MAX_CHARS) throw invalid(`it has over ${MAX_CHARS} characters`);
  const parser = new FilterParser(tokensOf(text.normalize("NFC")));
  const filter = parser.parseExpression(0);
  parser.expectEnd();
  return filter;
}

/** Recursive descent, loosest first: `or`, `and`, `not` and parentheses, then one comparison or test. */
class FilterParser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  parseExpression(depth: number): Filter {
    return this.#parseOperands("or", () =>
      this.#parseOperands("and", () => this.#parseOperand(depth)),
    );
  }

  /** Throws unless every token is consumed. */
  expectEnd(): void {
    if (this.#at < this.#tokens.length) throw invalid(`${this.#tokens[this.#at]} comes too late`);
  }

  #parseOperands(by: "and" | "or", read: () => Filter): Filter {
    const all = [read()];
    while (this.#accept(by)) all.push(read());
    return all.length === 1 ? all[0]! : { type: by, all };
  }

  #parseOperand(depth: number): Filter {
    if (depth > MAX_DEPTH) throw invalid("it is too deep");
    if (this.#accept("not")) return { type: "not", one: this.#parseOperand(depth + 1) };
    if (this.#accept("(")) {
      const inner = this.parseExpression(depth + 1);
      this.#expect(")");
      return inner;
    }
    const word = this.#tokens[this.#at];
    return isWordOf(TESTS, word) ? this.#parseTest(word, depth) : this.#parseComparison(depth);
  }

  #parseTest(by: Test, depth: number): Filter {
    this.#at++;
    this.#expect("(");
    const a = this.#parseValue(depth + 1);
    this.#expect(",");
    const b = this.#parseValue(depth + 1);
    this.#expect(")");
    return { type: "test", by, a, b };
  }

  #parseComparison(depth: number): Filter {
    const a = this.#parseValue(depth);
    const word = this.#next();
    if (word === "in") return { type: "in", one: a, list: this.#parseList(depth) };
    if (!isWordOf(COMPARISONS, word)) throw invalid(`${word} compares nothing`);
    return { type: "compare", by: word, a, b: this.#parseValue(depth) };
  }

  #parseList(depth: number): readonly Value[] | "groups" {
    if (this.#accept("groups")) return "groups";
    this.#expect("(");
    const values = [this.#parseValue(depth)];
    while (this.#accept(",")) values.push(this.#parseValue(depth));
    this.#expect(")");
    return values;
  }

  #parseValue(depth: number): Value {
    if (depth > MAX_DEPTH) throw invalid("it is too deep");
    const token = this.#next();
    if (token.startsWith("'"))
      return { type: "literal", value: token.slice(1, -1).replaceAll("''", "'") };
    if (/^-?\d/.test(token)) return { type: "literal", value: Number(token) };
    if (token === "null") return { type: "literal", value: null };
    if (token === "userId" || token === "connectionId") return { type: "name", name: token };
    if (!isWordOf(CHANGES, token)) throw invalid(`${token} is no value`);
    this.#expect("(");
    const of = this.#parseValue(depth + 1);
    this.#expect(")");
    return { type: "call", by: token, of };
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw invalid("it ends too early");
    return token;
  }

  /** Consumes the token if it is next. */
  #accept(token: string): boolean {
    const isNext = this.#tokens[this.#at] === token;
    if (isNext) this.#at++;
    return isNext;
  }

  #expect(token: string): void {
    if (!this.#accept(token)) throw invalid(`a ${token} is missing`);
  }
}

/**
 * Whether the connection matches. Values of different types are unequal, and none of `gt`, `ge`, `lt` and `le` holds
 * between them; tests of anything but two texts are false.
 */
export function matches(filter: Filter, subject: FilterSubject): boolean {
  switch (filter.type) {
    case "and":
      return filter.all.every((one) => matches(one, subject));
    case "or":
      return filter.all.some((one) => matches(one, subject));
    case "not":
      return !matches(filter.one, subject);
    case "in":
      return listOf(filter.list, subject).includes(valueOf(filter.one, subject));
    case "compare":
      return compare(filter.by, valueOf(filter.a, subject), valueOf(filter.b, subject));
    case "test":
      return test(filter.by, valueOf(filter.a, subject), valueOf(filter.b, subject));
    default:
      return filter satisfies never;
  }
}

type Scalar = string | number | null;

/** The values to the right of `in`. */
const listOf = (list: List, subject: FilterSubject): readonly Scalar[] =>
  typeof list === "string" ? subject[list] : list.map((value) => valueOf(value, subject));

/** The filter with names of groups replaced that stand for rooms of another kind; `roomOf` returns their topics. */
export function withRooms(filter: Filter, roomOf: (group: string) => string | undefined): Filter {
  switch (filter.type) {
    case "and":
    case "or":
      return { ...filter, all: filter.all.map((one) => withRooms(one, roomOf)) };
    case "not":
      return { ...filter, one: withRooms(filter.one, roomOf) };
    case "in": {
      const value = filter.list === "groups" && filter.one.type === "literal" && filter.one.value;
      const room = typeof value === "string" ? roomOf(value) : undefined;
      if (room === undefined) return filter;
      return { type: "in", one: { type: "literal", value: room }, list: "rooms" };
    }
    default:
      return filter;
  }
}

/** A function of a value that is not text returns null, which equals only `null`. */
function valueOf(value: Value, subject: FilterSubject): Scalar {
  if (value.type === "literal") return value.value;
  if (value.type === "name") return subject[value.name];
  const of = valueOf(value.of, subject);
  if (typeof of !== "string") return null;
  if (value.by === "length") return of.length;
  if (value.by === "trim") return of.trim();
  return value.by === "tolower" ? of.toLowerCase() : of.toUpperCase();
}

function compare(by: Comparison, a: Scalar, b: Scalar): boolean {
  if (by === "eq") return a === b;
  if (by === "ne") return a !== b;
  if (a === null || b === null || typeof a !== typeof b) return false;
  if (by === "gt") return a > b;
  if (by === "ge") return a >= b;
  return by === "lt" ? a < b : a <= b;
}

function test(by: Test, a: Scalar, b: Scalar): boolean {
  if (typeof a !== "string" || typeof b !== "string") return false;
  if (by === "startswith") return a.startsWith(b);
  return by === "endswith" ? a.endsWith(b) : a.includes(b);
}
