// Servers that come as they are: what nats-server and redis-server are told.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Speaks over WebSockets on the port. Its own TCP port is any that is free, and nobody's business. */
export async function natsCommand(folder: string, port: number): Promise<string[]> {
  const config = join(folder, "nats.conf");
  await writeFile(
    config,
    `host: "127.0.0.1"
port: -1
logfile: "${join(folder, "nats.log")}"
websocket {
  host: "127.0.0.1"
  port: ${port}
  no_tls: true
}
`,
  );
  return ["nats-server", "-c", config];
}

/** Keeps nothing. */
export const redisCommand = (folder: string, port: number): string[] => [
  ...["redis-server", "--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
  ...["--save", "", "--appendonly", "no"],
];
