// The document of a hub, from schemas of zod, of zod/mini, and of Valibot by Standard JSON Schema.

import * as v from "valibot";
import { expect, it } from "vitest";
import * as z from "zod";
import { servedHub } from "../../../src/dispatch/define/hub-tables.ts";
import { openRpc } from "../../../src/dispatch/define/open-rpc.ts";
import { clientMethods, hub, method } from "../../../src/hub.ts";
import { DeclaredHub, DeclaredRooms } from "../../support/declared-hub.ts";

/** Without what every schema of a draft begins with. */
const documentOf = (one: Parameters<typeof servedHub>[0]) =>
  JSON.parse(
    JSON.stringify(openRpc(servedHub(one)), (key, value) =>
      key === "$schema" ? undefined : value,
    ),
  );

const string = { type: "string" };
const Note = {
  type: "object",
  properties: {
    text: string,
    rating: { type: "number" },
    tags: { type: "array", items: string },
  },
  required: ["text", "tags"],
};
const Reading = {
  type: "object",
  properties: { sensor: string, value: { type: "number" } },
  required: ["sensor", "value"],
};
const integer = {
  type: "integer",
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};

it("has the results of methods and the items of streams", () => {
  const { methods } = documentOf(DeclaredHub);
  const find = (name: string) => methods.find((one: { name: string }) => one.name === name);
  expect(find("note")).toEqual({
    name: "note",
    paramStructure: "either",
    params: [{ name: "note", required: true, schema: Note }],
    result: { name: "result", schema: Note },
  });
  expect(find("upload")).toMatchObject({
    params: [{ name: "arg1", "x-stream": true, schema: Reading }],
    result: { schema: { type: "number" } },
  });
  expect(find("count")).toMatchObject({
    "x-stream": true,
    result: { name: "items", schema: Reading },
  });
  expect(find("mark").result).toEqual({ name: "result", schema: {} });
});

it("has the methods that the hub calls on its clients, with the results of those that answer", () => {
  expect(documentOf(DeclaredHub)["x-client-methods"]).toEqual([
    {
      name: "noted",
      "x-signalr-target": "Noted",
      params: [
        { name: "user", required: true, schema: string },
        { name: "note", required: true, schema: Note },
      ],
    },
    {
      name: "marked",
      "x-signalr-target": "Marked",
      params: [
        { name: "level", required: true, schema: { type: "string", enum: ["low", "high"] } },
        { name: "arg2", required: false, schema: integer },
      ],
    },
    {
      name: "confirm",
      "x-signalr-target": "Confirm",
      params: [{ name: "question", required: true, schema: string }],
      result: { name: "result", schema: { type: "boolean" } },
    },
  ]);
});

it("has the actions and the state of rooms, and the state of presence", () => {
  const document = documentOf(DeclaredRooms);
  expect(document["x-actions"][0]).toMatchObject({
    name: "pin",
    params: [{ name: "id" }, { name: "note", schema: Note }],
    result: { schema: integer },
  });
  expect(document["x-state"]).toMatchObject({
    kind: "group",
    schema: { properties: { notes: { additionalProperties: Note }, count: integer } },
  });
  expect(documentOf(DeclaredHub)["x-presence-state"]).toMatchObject({
    properties: { typing: { type: "boolean" } },
  });
});

interface Category {
  readonly name: string;
  readonly parts: readonly Category[];
}
const Category: z.ZodType<Category> = z.object({
  name: z.string(),
  parts: z.array(z.lazy(() => Category)),
});

/** Where every reference of a document leads: from the nearest schema with an id, or from the document. */
function referredIn(part: unknown, root: unknown): unknown[] {
  if (typeof part !== "object" || part === null) return [];
  const { $id, $ref } = part as { $id?: string; $ref?: string };
  const from = $id === undefined ? root : part;
  const keys = $ref?.split("/").slice(1);
  const target = keys?.reduce((held, key) => (held as Record<string, unknown>)?.[key], from);
  return [
    ...(keys ? [target] : []),
    ...Object.values(part).flatMap((one) => referredIn(one, from)),
  ];
}

it("has schemas that refer to themselves, each with an id that its references start from", () => {
  const Twice = z.object({ one: Category, other: Category });
  const Shop = hub("shop", { client: clientMethods({ moved: [Category] }) }).methods({
    move: method([Category, Twice], () => {}),
    drop: method([Category], () => {}),
  });
  const document = documentOf(Shop);
  const targets = referredIn(document, document);
  expect(targets).toHaveLength(6);
  for (const target of targets)
    expect(target).toMatchObject({ properties: { name: string, parts: { type: "array" } } });
  const ids = [...JSON.stringify(document).matchAll(/"\$id":"([^"]*)"/g)].map(([, id]) => id);
  expect([ids.length, new Set(ids).size]).toEqual([4, 2]);
});

it("admits any value where a library has no JSON Schema, and says nothing of what a hub does not declare", () => {
  const Plain = hub("plain").methods({ say: method([v.string()], () => {}) });
  expect(documentOf(Plain)).toEqual({
    openrpc: "1.3.2",
    info: { title: "plain", version: "1" },
    methods: [
      {
        name: "say",
        paramStructure: "by-position",
        params: [{ name: "arg1", required: true, schema: {} }],
        result: { name: "result", schema: {} },
      },
    ],
  });
});
