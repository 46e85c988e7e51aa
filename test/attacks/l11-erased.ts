// L11: what is past its age, and what was deleted, is in no row. Its bytes stay in free pages of the file until these
// are used again, or the object ends: no object may vacuum (docs/design/storage.md).

import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, pause, timeUntil } from "./peer.ts";
import type { Server } from "./server.ts";

/** `brief` keeps for 30 s; erased before the same time has passed once more, with a second for the alarm. */
const BOUND_MS = 62_000;

/** Whether a row of any object has it. */
const isInRows = (server: Server, word: string): boolean =>
  server.files().some((file) => rowsOf(file).includes(word));

function rowsOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 });
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'log'").all();
    if (tables.length === 0) return "";
    return database
      .prepare("SELECT * FROM log")
      .all()
      .flatMap((row) => Object.values(row).map((value) => textOf(value)))
      .join("\n");
  } finally {
    database.close();
  }
}

const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);

/** Once the engine is gone and its write-ahead log is in the file: whether any byte of the file has it. */
function isInFiles(server: Server, word: string): boolean {
  return server.files().some((file) => {
    const database = new DatabaseSync(file);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    return readFileSync(file).includes(word);
  });
}

async function say(server: Server, room: string, word: string): Promise<void> {
  using peer = await Peer.room(server, `brief/group:${room}`, "alice");
  for (let i = 0; i < 20; i += 1) await peer.call("say", [room, `${word} ${"x".repeat(1_000)}`]);
}

async function run({ server }: Stage): Promise<Outcome> {
  await say(server, "aged", "word-that-ages");
  const aged = timeUntil(async () => !isInRows(server, "word-that-ages"), 3 * BOUND_MS, 500);
  await say(server, "deleted", "word-that-is-deleted");
  const wasThere = isInRows(server, "word-that-is-deleted");
  const url = `${server.url}/api/hubs/brief/rooms/group%3Adeleted/history`;
  const authorization = `Bearer ${server.serviceToken(url)}`;
  const { status } = await fetch(url, { method: "DELETE", headers: { authorization } });
  await pause(1_000);
  const isDeleted = !isInRows(server, "word-that-is-deleted");
  const ms = await aged;
  await server.kill();
  const left = ["word-that-ages", "word-that-is-deleted"].filter((word) => isInFiles(server, word));
  return {
    facts: [
      `past its age of 30 s: ${ms === undefined ? "still there after 186 s" : `gone after ${(ms / 1_000).toFixed(0)} s`}`,
      `deleted (${status}): ${isDeleted ? "gone" : "still there"}`,
      `bytes in free pages: ${left.join(", ") || "none"}`,
    ],
    failures: [
      ...(wasThere ? [] : ["the message was never found on disk"]),
      ...(ms !== undefined && ms <= BOUND_MS ? [] : ["an expired message is in a row"]),
      ...(isDeleted ? [] : ["a deleted message is in a row"]),
    ],
  };
}

export const erased: Attack = {
  ...{
    name: "L11",
    title: "expired and deleted messages on disk",
    isWatched: false,
    takes: 70,
    run,
  },
};
