// The table of all operations of the REST interface. Azure's legacy paths are rows of their own, each with the handler
// of its present-day operation.

import { connections } from "./connection-operations.ts";
import { groups } from "./group-operations.ts";
import { hubOperations } from "./hub-operations.ts";
import type { Operation } from "./operation.ts";
import { batch } from "./publish-batch.ts";
import { publishing } from "./publish-operations.ts";
import { rooms } from "./room-operations.ts";
import { states } from "./state-operations.ts";
import { users } from "./user-operations.ts";

const current = [
  ...[...hubOperations, ...connections, ...groups, ...users],
  ...[...publishing, batch, ...rooms, ...states],
];

/** Finds an operation for the rows below. A wrong id fails when the module is loaded. */
const byId = (id: string): Operation => current.find((operation) => operation.id === id)!;

/** Paths of Azure's first API version: no verbs, and the user before or after the group. */
const legacy = (
  [
    ["broadcast", "POST", ""],
    ["sendToUser", "POST", "/users/{user}"],
    ["sendToConnection", "POST", "/connections/{connection}"],
    ["sendToGroup", "POST", "/groups/{group}"],
    ["addUserToGroup", "PUT", "/groups/{group}/users/{user}"],
    ["removeUserFromGroup", "DELETE", "/groups/{group}/users/{user}"],
  ] as const
).map(([id, method, path]): Operation => ({ ...byId(id), id: `${id}V1`, method, path }));

/** Order is that of the OpenAPI document; no two rows share method and path. */
export const operations: readonly Operation[] = [...current, ...legacy];
