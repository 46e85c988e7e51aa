// The REST interface as an OpenAPI 3.1 document, made from the table of operations and the schemas that validate their
// requests, so that the document cannot differ from the service.

import * as z from "zod/mini";
import { LIMITS } from "../../model/options.ts";
import { MAX_NAME_LENGTH } from "../../model/topic.ts";
import { MAX_IDEMPOTENCY_KEY } from "../../model/wire-constants.ts";
import { IDEMPOTENCY_KEY } from "./idempotency-key.ts";
import type { Operation } from "./operation.ts";

/**
 * The whole document. It depends on nothing but the operations, and is made once for each isolate. A test lints it with
 * the strictest rules of Redocly, and another generates requests from it (test/edge/rest/from-schema.ts).
 */
export const openApi = (operations: readonly Operation[]): object => ({
  openapi: "3.1.0",
  info: {
    title: "Dormouse: push and control from services",
    version: "1",
    description: `What Azure SignalR Service's data plane has, and rooms with positions, history and presence. Also under /api/v1. A message has ${LIMITS.publishBytes} bytes at most, a body 1 MB.`,
    license: { name: "MIT", identifier: "MIT" },
  },
  servers: [{ url: "/" }],
  security: [{ bearer: [] }],
  tags: [...new Set(operations.map(tagOf))].map((name) => ({ name, description: TAGS[name] })),
  paths: pathsOf(operations),
  components: {
    securitySchemes: {
      bearer: {
        type: "http",
        scheme: "bearer",
        bearerFormat: "JWT",
        description:
          "A token of the endpoint's issuer with the role `service`, or one signed (HS256) with an access key whose `aud` is the request's URL.",
      },
    },
    schemas: { Error: ERROR },
  },
});

/** Azure's error document (azure-errors.ts). `target`, `details` and `inner` are Azure's, and empty here. */
const ERROR = {
  type: "object",
  description: "`code` is stable, and stands in the header x-ms-error-code as well.",
  required: ["code", "message"],
  properties: {
    code: { type: "string" },
    message: { type: "string" },
    target: { type: ["string", "null"] },
    details: { type: "array", items: { $ref: "#/components/schemas/Error" } },
    inner: { type: ["object", "null"] },
  },
};

/**
 * The description of each tag. Operations are grouped by the first segment of their path; generated clients make a
 * class or a module of each tag.
 */
const TAGS = {
  hub: "A whole hub.",
  connections: "One connection.",
  groups: "Groups of connections.",
  users: "A user's connections, groups and tokens.",
  rooms: "Rooms: positions, history, presence.",
  endpoint: "The endpoint itself.",
} as const;

type Tag = keyof typeof TAGS;

/** Paths that begin with a verb belong to the whole hub. */
function tagOf({ path }: Pick<Operation, "path">): Tag {
  const first = path.split("/")[1] ?? "";
  return Object.hasOwn(TAGS, first) ? (first as Tag) : "hub";
}

/** Each path appears once, with all its verbs. `/api/v1` is left out, because it has the same operations. */
function pathsOf(operations: readonly Operation[]): object {
  const paths = new Map<string, Record<string, object>>();
  for (const operation of operations) {
    const path = `/api/hubs/{hub}${operation.path}`;
    const verbs = paths.get(path) ?? {};
    paths.set(path, {
      ...verbs,
      [operation.method.toLowerCase()]: operationObject(operation, path),
    });
  }
  return { ...Object.fromEntries(paths), ...ENDPOINT };
}

/** One operation as OpenAPI has it. Parameters of the path come from the path itself, so that none can be left out. */
const operationObject = (operation: Operation, path: string): object => ({
  operationId: operation.id,
  summary: operation.summary,
  tags: [tagOf(operation)],
  parameters: [
    ...parametersIn(path),
    ...queryOf(operation),
    ...(operation.isKeyed ? [KEY_PARAMETER] : []),
    ...(operation.condition ? [conditionOf(operation.condition)] : []),
  ],
  ...(operation.body && { requestBody: bodyOf(operation) }),
  responses: responsesOf(operation),
});

/** Names of groups and users; the service also refuses `.`, `..` and control characters, which this does not say. */
const NAME = { type: "string", minLength: 1, maxLength: MAX_NAME_LENGTH };

/** Path parameters of all operations, by name. */
const PARAMETERS: ReadonlyMap<string, object> = new Map<string, object>([
  ["hub", { schema: { type: "string" }, description: "In any case." }],
  ["group", { schema: NAME }],
  ["user", { schema: NAME }],
  ["connection", { schema: { type: "string", minLength: 1, maxLength: 600 } }],
  ["action", { schema: { type: "string", minLength: 1 } }],
  [
    "schedule",
    { schema: { type: "string", minLength: 1, maxLength: 128 }, description: "Its id." },
  ],
  ["stream", { schema: { type: "string", minLength: 1, maxLength: 100 } }],
  [
    "room",
    {
      schema: { type: "string", pattern: "^(?:all|(?:group|order|user):.+)$" },
      description: "`group:lobby`, `order:42`, `user:alice`, or `all`.",
    },
  ],
]);

const parametersIn = (path: string): object[] =>
  [...path.matchAll(/\{(?<name>\w+)\}/g)].map(({ groups }) => {
    const name = groups!["name"]!;
    return { name, in: "path", required: true, ...PARAMETERS.get(name) };
  });

/**
 * A schema of zod as JSON Schema, from the caller's side: a field with a default is optional there. Values that JSON
 * Schema cannot describe are any value.
 */
const schemaOf = (schema: z.ZodMiniType): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
};

/** OpenAPI has a row for each parameter, and its description outside of the schema. */
function queryOf({ query }: Operation): object[] {
  const { properties = {}, required = [] } = schemaOf(query) as {
    properties?: Record<string, { description?: string }>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    ...(description && { description }),
    schema,
  }));
}

/** Equivalent to `idempotency_key` of a body; in a batch the key of all commands that have none of their own. */
const KEY_PARAMETER = {
  ...{ name: IDEMPOTENCY_KEY, in: "header", required: false },
  description:
    "A request that is repeated with its key publishes nothing twice, as long as the room's log has the first; an action is run once.",
  schema: { type: "string", minLength: 1, maxLength: MAX_IDEMPOTENCY_KEY },
};

const conditionOf = (name: string): object => ({
  ...{ name, in: "header", required: false },
  description: 'A position as an entity tag: `"epoch:offset"`.',
  schema: { type: "string", pattern: '^(?:"[0-9a-z]+:[0-9]+"|[*])$' },
});

/** A message is accepted in three encodings, any other body only in JSON (rest-body.ts). */
function bodyOf({ body, bodyKind }: Operation): object {
  const schema = schemaOf(body!);
  const content = { "application/json": { schema } };
  const message = {
    ...content,
    "application/x-msgpack": { schema },
    // A MessagePack map from protocols' names to the invocation as each of them writes it.
    "application/octet-stream": {},
  };
  return { required: true, content: bodyKind === "message" ? message : content };
}

/** A response with the error document. */
const FAILURE = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
});

/**
 * Statuses that every operation may answer with, and those of its own kind. Codes are not listed: one status has
 * several, and new ones may be added, so that generated clients must not enumerate them.
 */
const responsesOf = ({ status, answer, finds, body, condition }: Operation): object => ({
  [status]: {
    description: "Done.",
    ...(answer && { content: { "application/json": { schema: schemaOf(answer) } } }),
  },
  ...(condition === "If-None-Match" && { "304": { description: "It stands there still." } }),
  ...(condition === "If-Match" && {
    "412": FAILURE("The room is at another position."),
    "422": FAILURE("The action refused, with a code of the hub's own."),
  }),
  "400": FAILURE("What was given is not understood."),
  "401": FAILURE("The token is missing, or not accepted."),
  "403": FAILURE("The token is no service's, or the page's origin is not allowed."),
  "404": FAILURE(
    finds ? "There is no such hub, or not what was asked for." : "There is no such hub.",
  ),
  ...(body && { "413": FAILURE("Too large."), "415": FAILURE("A body of another type.") }),
  "429": FAILURE("Too often; retry-after says when."),
  default: FAILURE("Anything else."),
});

/** A path that belongs to no hub. */
const endpointPath = (id: string, summary: string, content?: object) => ({
  get: {
    operationId: id,
    summary,
    tags: ["endpoint"],
    responses: {
      "200": { description: "Done.", ...(content && { content }) },
      "4XX": FAILURE("Refused."),
    },
  },
});

/** Paths of the endpoint itself; without `/api/metrics`, which is for Prometheus. */
const ENDPOINT = {
  "/api/health": endpointPath("health", "Whether the worker is well. Needs no token."),
  "/api/openapi.json": endpointPath("openApi", "This document. Needs no token.", {
    "application/json": {},
  }),
  "/api/auth/accessKey": endpointPath(
    "accessKey",
    "A key of the token's tenant, with which a service signs its own tokens; their header `kid` is the KeyId.",
    {
      "application/json": {
        schema: {
          type: "object",
          required: ["AccessKey", "KeyId"],
          properties: { AccessKey: { type: "string" }, KeyId: { type: "string" } },
        },
      },
    },
  ),
};
