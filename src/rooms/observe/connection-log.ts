// A log line for each connection that opens and each that closes. Only with LOG_CONNECTIONS=1: a line costs about as
// much as a message.

import { logInfo } from "../../model/logger.ts";
import { formatTopic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { wasOpen } from "../connection/stage.ts";
import type { ObjectEnv } from "../rpc/object-env.ts";
import type { ObjectAddress } from "../rpc/object-names.ts";

interface ConnectionLine {
  readonly connection: Connection;
  /** The object that holds the connection. */
  readonly address: ObjectAddress;
  /** The object's name in the hub's index. */
  readonly object: string;
  /** The close code, of a connection that has closed. */
  readonly code?: number;
}

interface ActiveObject {
  readonly activity: { note(): void };
  readonly address: ObjectAddress;
  readonly name: string;
}

export function logConnection(
  { LOG_CONNECTIONS }: Pick<ObjectEnv, "LOG_CONNECTIONS">,
  event: "connection_opened" | "connection_closed",
  { connection, address, object, code }: ConnectionLine,
): void {
  if (LOG_CONNECTIONS !== "1") return;
  const { user, attached } = connection;
  const { tenant, hub } = address;
  logInfo(event, {
    ...{ tenant, hub, user: user.id, object },
    room: attached.room ?? ("topic" in address ? formatTopic(address.topic) : undefined),
    transport: attached.transport ?? "WebSockets",
    ...(code !== undefined && { code, durationMs: Date.now() - attached.connectedAt }),
  });
}

/** The object was active: a connection has ended. One that was open has a line; calls over HTTP have none. */
export function noteEnd(
  env: Pick<ObjectEnv, "LOG_CONNECTIONS">,
  { activity, address, name }: ActiveObject,
  { connection, code }: { readonly connection: Connection; readonly code: number },
): void {
  activity.note();
  if (!wasOpen(connection) || connection.httpCaller) return;
  logConnection(env, "connection_closed", { connection, address, object: name, code });
}
