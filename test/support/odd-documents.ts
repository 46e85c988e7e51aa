// Documents of OpenRPC that come from anywhere: names that mean something in the languages that types are written in.

import type { Content, HubDocument, JsonSchema } from "../../src/cli/hub-documents.ts";

const string = { type: "string" };
const param = (name: string, schema: JsonSchema, required = true): Content => ({
  name,
  schema,
  required,
});

const Tree = {
  type: "object",
  properties: { name: string, children: { type: "array", items: { $ref: "#" } } },
  required: ["name"],
};
const Nested = {
  $defs: {
    Json: { anyOf: [string, { type: "array", items: { $ref: "#/$defs/Json" } }] },
    Leaf: { type: "object", properties: { next: { $ref: "#/$defs/Leaf" } } },
  },
  type: "object",
  properties: {
    any: { $ref: "#/$defs/Json" },
    leaf: { $ref: "#/$defs/Leaf" },
    lost: { $ref: "#/$defs/None" },
    torn: { $ref: "#/%" },
  },
  required: ["any", "leaf"],
};

/** Refers to itself, and is no record alone. */
const LOOP = {
  type: "object",
  properties: { a: string },
  anyOf: [{ $ref: "#" }, { type: "null" }],
};

const odd: HubDocument = {
  openrpc: "1.3.2",
  info: { title: "odd" },
  methods: [
    {
      name: "class",
      params: [
        param("event", string),
        param("not a name", { type: "integer" }),
        param("2nd", { type: "boolean" }),
        param("cancellationToken", { type: ["number", "null"] }, false),
        param("last", { enum: ["a", "b", null] }, false),
      ],
    },
    { name: "line\u2028end", params: [param("any", LOOP)] },
    { name: "new", params: [param("a", string), param("a", string), param("arg1", string)] },
    { name: '"]: 1; }>; //*/', params: [param("*/ x", { const: "*/\n${`\u2028" })] },
    { name: "divide", params: [], result: { name: "result", schema: { type: "number" } } },
    { name: "divideAsync", params: [], result: { name: "result", schema: { const: 1 } } },
    { name: "plant", params: [param("tree", Tree), param("nested", Nested)] },
    {
      name: "shapes",
      params: [
        param("tuple", { type: "array", prefixItems: [string, { type: "number" }] }),
        param("map", {
          type: "object",
          additionalProperties: { type: "object", properties: { n: string } },
        }),
        param("both", {
          allOf: [{ type: "object", properties: { a: string }, required: ["a"] }, Tree],
        }),
        param("either", { anyOf: [string, { type: "number" }] }),
        param("price", {
          type: "object",
          properties: { price: string, "a b": string, aB: string, equals: string, 'q"': string },
        }),
        param("made", { type: "object", properties: { clone: string, toString: string } }),
        param("open", {
          type: "object",
          properties: { any: true, none: false, list: { type: "array", items: true } },
          required: ["any"],
        }),
        param("nothing", { allOf: [] }),
        param("counted", {
          ...{ type: "object", properties: { a: string }, required: ["a"] },
          allOf: [{ type: "object", properties: { b: { type: "integer" } } }],
        }),
        param("chosen", {
          ...{ type: "object", properties: { a: string }, required: ["a"] },
          anyOf: [{ type: "object", properties: { b: string } }, { required: ["c"] }],
        }),
        param("task", { type: "object", properties: { id: string } }),
        param("handlers", { type: "object", properties: { on: string } }),
        param("pair", { type: "object", properties: { pair: string, pairData: string } }),
      ],
    },
  ],
  "x-client-methods": [
    {
      name: "many",
      params: "abcdefghi".split("").map((name) => param(name, { type: ["integer", "null"] })),
    },
    { name: "nothing", params: [] },
    { name: "answer", params: [], result: { name: "result", schema: string } },
  ],
};

/** Both would be `ANameHub`; a name may end with what is no letter. */
const namesakes: readonly HubDocument[] = ["a-name", "a_name", "a-name-"].map((title) => ({
  ...{ openrpc: "1.3.2", info: { title }, methods: [{ name: "go", params: [] }] },
}));

/** What no author would write, and a document may have. */
export const ODD: readonly HubDocument[] = [odd, ...namesakes];

/** Forty definitions, each of which refers twice to the next. */
const DOUBLED = Object.fromEntries(
  Array.from({ length: 40 }, (_, at) => {
    const next = { $ref: `#/$defs/${at + 1}` };
    return [at, { anyOf: [{ type: "array", items: next }, next] }];
  }),
);

/** A few lines whose types would have terabytes. */
export const ENDLESS: HubDocument = {
  ...{ openrpc: "1.3.2", info: { title: "endless" } },
  methods: [{ name: "go", params: [param("value", { $defs: DOUBLED, $ref: "#/$defs/0" })] }],
};
