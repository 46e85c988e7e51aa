// The document of the REST interface: sound by a linter's strictest rules, whole, and of the schemas that check
// requests.

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";

/** As text: types of the engine and of Node do not go together, and these modules know those of the engine. */
const rest = (name: string): Promise<unknown> =>
  import(new URL(`../../src/edge/rest/${name}.ts`, import.meta.url).href);

interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}
const { operations } = (await rest("index")) as { operations: readonly Operation[] };
const { openApi } = (await rest("openapi")) as { openApi(of: readonly Operation[]): Document };

interface Document {
  readonly paths: Record<string, Record<string, Described>>;
}
interface Described {
  readonly operationId: string;
  readonly parameters?: { name: string; in: string; schema: object }[];
  readonly responses: Readonly<Record<string, object>>;
  readonly requestBody?: { content: Record<string, { schema?: object }> };
}

const document = openApi(operations);

const problemsOf = async (of: object): Promise<string[]> => {
  const config = await createConfig({ extends: ["recommended-strict"] });
  const problems = await lintFromString({
    source: JSON.stringify(of),
    absoluteRef: "openapi.json",
    config,
  });
  return problems.map(({ ruleId, message }) => `${ruleId}: ${message}`);
};

describe("the OpenAPI document", () => {
  it("has nothing for a linter to say", async () => {
    expect(await problemsOf(document)).toEqual([]);
  });

  it("would not pass with a fault in it", async () => {
    const twice = { ...document.paths, "/again": { get: document.paths["/api/health"]!["get"]! } };
    const undeclared = { ...document.paths, "/x/{y}": { get: { responses: {} } } };
    expect(await problemsOf({ ...document, paths: twice })).not.toEqual([]);
    expect(await problemsOf({ ...document, paths: undeclared })).not.toEqual([]);
  });

  it("has every operation once, with its parameters and its body", () => {
    for (const { id, method, path, body } of operations) {
      const described = document.paths[`/api/hubs/{hub}${path}`]?.[method.toLowerCase()];
      expect(described?.operationId).toBe(id);
      const inPath = described!
        .parameters!.filter((one) => one.in === "path")
        .map((one) => one.name);
      expect(inPath).toEqual(["hub", ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)]);
      expect(described!.requestBody !== undefined).toBe(body !== undefined);
    }
  });

  it("has the key of operations that publish, as long as the body's", () => {
    const keyed = operations.filter(({ method, path }) => {
      const described = document.paths[`/api/hubs/{hub}${path}`]![method.toLowerCase()]!;
      return described.parameters!.some(({ name }) => name === "Idempotency-Key");
    });
    expect(keyed.map(({ id }) => id)).toEqual([
      ...["broadcast", "sendToGroup", "sendToUser"],
      ...["publish", "broadcastToRooms", "batch", "runAction"],
      ...["broadcastV1", "sendToUserV1", "sendToGroupV1"],
    ]);
    const { parameters, requestBody } =
      document.paths["/api/hubs/{hub}/rooms/{room}/:publish"]!["post"]!;
    const { schema } = parameters!.find(({ name }) => name === "Idempotency-Key")!;
    const body = requestBody!.content["application/json"]!.schema as {
      properties: Record<string, object>;
    };
    expect(schema).toEqual(body.properties["idempotency_key"]);
  });

  it("has the headers with a position, and what they are answered with", () => {
    const run = document.paths["/api/hubs/{hub}/rooms/{room}/:run/{action}"]!["post"]!;
    const state = document.paths["/api/hubs/{hub}/rooms/{room}/state"]!["get"]!;
    const header = ({ parameters }: typeof run) =>
      parameters!.filter((one) => one.in === "header").map(({ name }) => name);
    expect([header(run), header(state)]).toEqual([
      ["Idempotency-Key", "If-Match"],
      ["If-None-Match"],
    ]);
    expect(Object.keys(run.responses)).toEqual(expect.arrayContaining(["200", "412", "422"]));
    expect(Object.keys(state.responses)).toContain("304");
  });

  it("says what the schemas say", () => {
    const history = document.paths["/api/hubs/{hub}/rooms/{room}/history"]!["get"]!;
    expect(history.parameters!.find(({ name }) => name === "limit")!.schema).toMatchObject({
      ...{ type: "integer", minimum: 0, maximum: 1_000 },
    });
    const send = document.paths["/api/hubs/{hub}/:send"]!["post"]!.requestBody!;
    expect(Object.keys(send.content)).toEqual([
      ...["application/json", "application/x-msgpack", "application/octet-stream"],
    ]);
    expect(send.content["application/json"]!.schema).toMatchObject({
      ...{ type: "object", required: ["target"], additionalProperties: false },
    });
  });
});
