// All that services may ask, in one table. Azure's legacy paths are the same operations by other names.

import { connections } from "./connection-operations.ts";
import { groups } from "./group-operations.ts";
import { hubWide } from "./hub-operations.ts";
import type { Operation } from "./operation.ts";
import { batch } from "./publish-batch.ts";
import { publishing } from "./publish-operations.ts";
import { rooms } from "./room-operations.ts";
import { users } from "./user-operations.ts";

const named = [...hubWide, ...connections, ...groups, ...users, ...publishing, batch, ...rooms];

const byId = (id: string): Operation => named.find((operation) => operation.id === id)!;

/** The first version had no verbs in its paths, and users first or last. */
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

export const operations: readonly Operation[] = [...named, ...legacy];
