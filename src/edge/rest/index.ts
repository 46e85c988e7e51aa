// All that services may ask, in one table. Azure's legacy paths are the same operations by other names.

import { connections } from "./connections.ts";
import { groups } from "./groups.ts";
import { hubWide } from "./hub-wide.ts";
import type { Operation } from "./operation.ts";
import { batch } from "./batch.ts";
import { publishing } from "./publishing.ts";
import { rooms } from "./rooms.ts";
import { users } from "./users.ts";

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
