// Command lines of nats-server and redis-server, which run unmodified.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** NATS over WebSocket on the port. Its TCP port is any free one, and is not used. */
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

/** Redis without persistence. */
export const redisCommand = (folder: string, port: number): string[] => [
  ...["redis-server", "--bind", "127.0.0.1", "--port", String(port), "--dir", folder],
  ...["--save", "", "--appendonly", "no"],
];
