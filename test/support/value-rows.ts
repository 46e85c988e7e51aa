// The stock JavaScript client's values, as one table: what ASP.NET Core gives back for each, in either protocol, and
// where we differ by design. value-report.ts runs it.

/** What came back, as text; for both protocols, or for JSON and MessagePack. */
export type Outcome = string | readonly [json: string, messagePack: string];

export interface ValueRow {
  readonly title: string;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly aspNet: Outcome;
  readonly ours?: Outcome;
  /** Why ours differs. */
  readonly reason?: string;
}

export const REFUSED = "refused";
const SAMPLE = { title: "a", count: 1, at: new Date(0), inner: { tags: ["x"], isOpen: true } };
const CAPITAL = { Title: "a", Count: 1, At: new Date(0), Inner: { Tags: ["x"], IsOpen: true } };

export const VALUE_ROWS: readonly ValueRow[] = [
  { title: "text", method: "Text", args: ["naïve 🐁"], aspNet: '"naïve 🐁"' },
  {
    title: "a lone surrogate",
    method: "Text",
    args: ["\ud800"],
    aspNet: [REFUSED, '"���"'],
    ours: '"\\ud800"',
    reason: "texts of JavaScript may have it, and it arrives as it was sent",
  },
  { title: "null for a text", method: "Text", args: [null], aspNet: "null" },
  { title: "undefined for a text", method: "Text", args: [undefined], aspNet: "null" },
  {
    title: "a date",
    method: "DateTime",
    args: [new Date(1_234_567_890_123)],
    aspNet: ['"2009-02-13T23:31:30.123Z"', "Date 2009-02-13T23:31:30.123Z"],
  },
  {
    title: "a date as text",
    method: "DateTime",
    args: ["2026-01-02T03:04:05.120Z"],
    aspNet: ['"2026-01-02T03:04:05.12Z"', REFUSED],
  },
  {
    title: "a date with an offset",
    method: "DateTimeOffset",
    args: ["2026-01-02T03:04:05+02:00"],
    aspNet: ['"2026-01-02T03:04:05+02:00"', REFUSED],
    ours: '"2026-01-02T03:04:05+02:00"',
    reason: "a schema may take a text in either protocol",
  },
  {
    title: "a day",
    method: "DateOnly",
    args: ["2026-01-02"],
    aspNet: ['"2026-01-02"', REFUSED],
    ours: '"2026-01-02"',
    reason: "a schema may take a text in either protocol",
  },
  {
    title: "a time span",
    method: "TimeSpan",
    args: ["1.02:03:04.0050000"],
    aspNet: ['"1.02:03:04.0050000"', REFUSED],
    ours: '"1.02:03:04.0050000"',
    reason: "a schema may take a text in either protocol",
  },
  {
    title: "an id",
    method: "Guid",
    args: ["6f9619ff-8b86-d011-b42d-00cf4fc964ff"],
    aspNet: '"6f9619ff-8b86-d011-b42d-00cf4fc964ff"',
  },
  {
    title: "a number for a decimal",
    method: "Decimal",
    args: [12.34],
    aspNet: ["12.34", REFUSED],
    ours: "12.34",
    reason: "a schema of numbers takes them in either protocol",
  },
  {
    title: "a text for a decimal",
    method: "Decimal",
    args: ["12.34"],
    aspNet: [REFUSED, '"12.34"'],
    ours: [REFUSED, "12.34"],
    reason: "a decimal of MessagePack is a number for a schema of numbers",
  },
  { title: "a whole number", method: "Int64", args: [42], aspNet: "42" },
  { title: "a whole number of 2^52", method: "Int64", args: [2 ** 52], aspNet: "4503599627370496" },
  {
    title: "a whole number of 2^60",
    method: "Int64",
    args: [2 ** 60],
    aspNet: ["1152921504606847000", REFUSED],
    ours: "1152921504606847000",
    reason: "the double is whole, so a schema of bigints takes it",
  },
  { title: "an int", method: "Int32", args: [-(2 ** 31)], aspNet: "-2147483648" },
  { title: "half a number for an int", method: "Int32", args: [1.5], aspNet: REFUSED },
  {
    title: "a text for an int",
    method: "Int32",
    args: ["1"],
    aspNet: REFUSED,
    ours: [REFUSED, "1"],
    reason: "a decimal of MessagePack is a number for a schema of numbers",
  },
  { title: "null for an int", method: "Int32", args: [null], aspNet: REFUSED },
  { title: "undefined for an int", method: "Int32", args: [undefined], aspNet: REFUSED },
  { title: "a number", method: "Double", args: [0.1], aspNet: "0.1" },
  { title: "a large number", method: "Double", args: [1e300], aspNet: "1e+300" },
  {
    title: "a whole number beyond 2^53",
    method: "Double",
    args: [2 ** 60],
    aspNet: "1152921504606847000",
  },
  { title: "zero below zero", method: "Double", args: [-0], aspNet: "0" },
  {
    title: "NaN",
    method: "Double",
    args: [NaN],
    aspNet: [REFUSED, "NaN"],
    ours: REFUSED,
    reason:
      "a call of clients is written once for all protocols, and JSON has no such number; results have it",
  },
  {
    title: "infinity",
    method: "Double",
    args: [Infinity],
    aspNet: [REFUSED, "Infinity"],
    ours: REFUSED,
    reason:
      "a call of clients is written once for all protocols, and JSON has no such number; results have it",
  },
  { title: "a boolean", method: "Boolean", args: [true], aspNet: "true" },
  {
    title: "an enum by number",
    method: "Colour",
    args: [1],
    aspNet: ["1", REFUSED],
    ours: "1",
    reason: "the hub's schema takes both forms",
  },
  {
    title: "an enum by name",
    method: "Colour",
    args: ["Green"],
    aspNet: [REFUSED, '"Green"'],
    ours: '"Green"',
    reason: "the hub's schema takes both forms",
  },
  {
    title: "bytes",
    method: "Bytes",
    args: [new Uint8Array([0, 1, 255])],
    aspNet: [REFUSED, "bytes 0,1,255"],
  },
  {
    title: "bytes as base64",
    method: "Bytes",
    args: ["AAH/"],
    aspNet: ['"AAH/"', "bytes 65,65,72,47"],
    ours: ['"AAH/"', REFUSED],
    reason: "there bytes are the characters of the text, in MessagePack",
  },
  { title: "a list", method: "Texts", args: [["a", ""]], aspNet: '["a",""]' },
  {
    title: "a dictionary",
    method: "ByText",
    args: [{ alice: 1, "user-2": 2 }],
    aspNet: "{alice: 1,user-2: 2}",
  },
  {
    title: "a dictionary by numbers",
    method: "ByNumber",
    args: [{ 1: "a", "-5": "b" }],
    aspNet: ['{1: "a",-5: "b"}', REFUSED],
    ours: '{1: "a",-5: "b"}',
    reason: "keys of JavaScript objects are texts: a schema of maps takes them for numbers",
  },
  {
    title: "a tuple",
    method: "Pair",
    args: [[7, "a"]],
    aspNet: [REFUSED, '[7,"a"]'],
    ours: '[7,"a"]',
    reason: "System.Text.Json reads no ValueTuple; here it is an array in both protocols",
  },
  {
    title: "records, nested",
    method: "Sample",
    args: [SAMPLE],
    aspNet: [
      '{title: "a",count: 1,at: "1970-01-01T00:00:00Z",inner: {tags: ["x"],isOpen: true,note: null}}',
      '{Title: "",Count: 0,At: Date 0001-01-01T00:00:00.000Z,Inner: {Tags: [],IsOpen: false,Note: null}}',
    ],
    ours: [
      '{title: "a",count: 1,at: "1970-01-01T00:00:00Z",inner: {tags: ["x"],isOpen: true,note: null}}',
      '{Title: "a",Count: 1,At: Date 1970-01-01T00:00:00.000Z,Inner: {Tags: ["x"],IsOpen: true,Note: null}}',
    ],
    reason:
      "names are read whatever their case in either protocol; there members are lost without a word",
  },
  {
    title: "records, nested, in PascalCase",
    method: "Sample",
    args: [CAPITAL],
    aspNet: [
      '{title: "a",count: 1,at: "1970-01-01T00:00:00Z",inner: {tags: ["x"],isOpen: true,note: null}}',
      '{Title: "a",Count: 1,At: Date 1970-01-01T00:00:00.000Z,Inner: {Tags: ["x"],IsOpen: true,Note: null}}',
    ],
  },
  { title: "any text", method: "Anything", args: ["a"], aspNet: '"a"' },
  { title: "any number", method: "Anything", args: [1.5], aspNet: "1.5" },
  {
    title: "any bytes",
    method: "Anything",
    args: [new Uint8Array([1])],
    aspNet: ["{0: 1}", "bytes 1"],
  },
  {
    title: "any date",
    method: "Anything",
    args: [new Date(1_234_567_890_123)],
    aspNet: ['"2009-02-13T23:31:30.123Z"', "Date 2009-02-13T23:31:30.123Z"],
  },
  {
    title: "any object",
    method: "Anything",
    args: [{ a: { b: 1 } }],
    aspNet: "{a: {b: 1}}",
  },
  { title: "any list", method: "Anything", args: [[1, "a", null]], aspNet: '[1,"a",null]' },
  { title: "anything that is null", method: "Anything", args: [null], aspNet: "null" },
  {
    title: "a key __proto__",
    method: "ByText",
    args: [JSON.parse('{"__proto__":1}')],
    aspNet: ["{__proto__: 1}", "the connection ended"],
    ours: REFUSED,
    reason: "the key is accepted nowhere: it ends the connection of a stock JavaScript client",
  },
  { title: "an optional argument", method: "Optional", args: ["bob", "hi"], aspNet: '"hi bob"' },
  {
    title: "an optional argument that is null",
    method: "Optional",
    args: ["bob", null],
    aspNet: '" bob"',
    ours: '"hello bob"',
    reason: "an argument whose schema is optional may be left out, or null",
  },
  {
    title: "an optional argument that is undefined",
    method: "Optional",
    args: ["bob", undefined],
    aspNet: '" bob"',
    ours: '"hello bob"',
    reason: "an argument whose schema is optional may be left out, or null",
  },
  {
    title: "an optional argument that is left out",
    method: "Optional",
    args: ["bob"],
    aspNet: REFUSED,
    ours: '"hello bob"',
    reason: "an argument whose schema is optional may be left out, or null",
  },
];
