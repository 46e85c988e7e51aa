// Who came and who went, in the log: only where the worker asks for it, since a line costs about as much as a message.

import { logInfo } from "../../model/logger.ts";
import { formatTopic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import type { Parts } from "../object/object-parts.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";

interface Seen {
  readonly connection: Connection;
  readonly parts: Parts;
  /** How it closed. */
  readonly code?: number;
}

export function logConnection(
  { LOG_CONNECTIONS }: Pick<ObjectEnv, "LOG_CONNECTIONS">,
  event: "connection_opened" | "connection_closed",
  { connection, parts, code }: Seen,
): void {
  if (LOG_CONNECTIONS !== "1") return;
  const { user, attached } = connection;
  const { tenant, hub } = parts.home;
  logInfo(event, {
    ...{ tenant, hub, user: user.id, object: parts.name },
    room: attached.room ?? ("topic" in parts.home ? formatTopic(parts.home.topic) : undefined),
    transport: attached.transport ?? "WebSockets",
    ...(code !== undefined && { code, durationMs: Date.now() - attached.connectedAt }),
  });
}
