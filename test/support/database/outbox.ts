// outbox.ts: publishes the rows that were written in the transaction of their note. For a cron trigger.
import { hubContext, type EndpointEnv } from "dormouse-hubs/server";
import { BoardHub } from "./board.ts";

export async function publishOutbox(env: EndpointEnv & Pick<Cloudflare.Env, "DB">): Promise<void> {
  const board = hubContext(env, BoardHub);
  const { results } = await env.DB.prepare(
    "SELECT id, board, note FROM outbox ORDER BY id LIMIT 100",
  ).all<OutboxRow>();
  for (const { id, board: name, note } of results) {
    await board.publish(`group:${name}`, "added", [JSON.parse(note)], {
      idempotencyKey: `outbox-${id}`,
    });
    await env.DB.prepare("DELETE FROM outbox WHERE id = ?").bind(id).run();
  }
}

interface OutboxRow {
  readonly id: number;
  readonly board: string;
  readonly note: string;
}
