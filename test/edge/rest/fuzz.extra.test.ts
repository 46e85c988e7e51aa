// Requests made from the OpenAPI document, sound ones and broken ones: none is answered by a failure of ours.

import { encode } from "@msgpack/msgpack";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { operations } from "../../../src/edge/rest/index.ts";
import { openApi } from "../../../src/edge/rest/openapi.ts";
import { chance } from "../../support/seed.ts";
import { hostile, valid, type Schema } from "./from-schema.ts";
import { ask } from "./service.ts";

interface Described {
  readonly operationId: string;
  readonly parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  readonly requestBody?: { content: Record<string, { schema?: Schema }> };
}

const { paths } = openApi(operations) as { paths: Record<string, Record<string, Described>> };
const described = Object.entries(paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, one]) => ({ ...one, path, verb: verb.toUpperCase() })),
);
const RUNS = 40;

/** Mostly what the schema says; sometimes not. */
const perhaps = (schema: Schema) =>
  fc.oneof({ weight: 4, arbitrary: valid(schema) }, { weight: 1, arbitrary: hostile });

const text = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

/** A path or query part, well encoded or, rarely, not at all. */
const part = (schema: Schema) =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: perhaps(schema).map((value) => {
        const given = text(value);
        return encodeURIComponent(given.isWellFormed() ? given : "x") || "x";
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom("%", "%zz", "%c3", "%00", "..%2f..", "a%2fb") },
  );

function requestOf({ path, parameters = [], requestBody }: (typeof described)[number]) {
  const inPath = parameters.filter((one) => one.in === "path");
  const inQuery = parameters.filter((one) => one.in === "query");
  const hub = fc.oneof(
    { weight: 8, arbitrary: fc.constant("chat") },
    { weight: 1, arbitrary: fc.constantFrom("Chat", "nobody", "__proto__", "x%20y") },
  );
  const values = fc.tuple(
    ...inPath.map(({ name, schema }) => (name === "hub" ? hub : part(schema))),
  );
  const query = fc.tuple(
    ...inQuery.map(({ name, schema }) =>
      fc.option(
        part(schema).map((value) => `${name}=${value}`),
        { nil: "" },
      ),
    ),
  );
  const schema = requestBody?.content["application/json"]?.schema;
  const body = schema ? perhaps(schema) : fc.constant(undefined);
  return fc.record({
    path: values.map((all) =>
      inPath.reduce((url, { name }, index) => url.replace(`{${name}}`, () => all[index]!), path),
    ),
    query: query.map((all) => all.filter((one) => one !== "").join("&")),
    body,
    type: fc.constantFrom("json", "json", "json", "msgpack", "octets", "text", "broken"),
  });
}

const BODIES: Record<string, (body: unknown) => { raw: BodyInit; type: string }> = {
  json: (body) => ({ raw: JSON.stringify(body), type: "application/json" }),
  msgpack: (body) => ({ raw: encode(body), type: "application/x-msgpack" }),
  octets: (body) => ({
    raw: encode({ json: encode(body), messagepack: encode([1, {}, null, "said", [body], []]) }),
    type: "application/octet-stream",
  }),
  text: (body) => ({ raw: text(body), type: "text/plain" }),
  broken: (body) => ({ raw: JSON.stringify(body).slice(0, -1), type: "application/json" }),
};

describe.each(described.map((one) => [`${one.verb} ${one.path}`, one] as const))("%s", (_, one) => {
  it(`answers ${RUNS} requests without a failure of ours`, { timeout: 60_000 }, async () => {
    const { seed } = chance();
    await fc.assert(
      fc.asyncProperty(requestOf(one), async ({ path, query, body, type }) => {
        const asking = body === undefined ? {} : BODIES[type]!(body);
        const response = await ask(one.verb, `${path.replace(/^\/api/, "")}?${query}`, asking);
        const said = await response.text();
        expect([path, response.status < 500]).toEqual([path, true]);
        if (response.status < 400) return;
        const { code, message } = JSON.parse(said) as { code: string; message: string };
        expect(code).toMatch(/^[a-z_]+$/);
        expect(response.headers.get("x-dormouse-error")).toBe(code);
        const azure = response.headers.get("x-ms-error-code")!;
        expect(azure === code || /^(?:Warning|Info|Error)(?:\.[A-Z]\w+){2}$/.test(azure)).toBe(
          true,
        );
        expect(message.length).toBeGreaterThan(0);
      }),
      { numRuns: RUNS, seed },
    );
  });
});
