// L8: the file of one room is damaged. Others go on, the log names the room, its erasure heals it.

import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer } from "./peer.ts";
import type { Server } from "./server.ts";

const WORD = "the-message-by-which-the-file-is-found";
const PAGE = 4_096;

/**
 * Pages of messages are no pages any more; the write-ahead log is in the file before. Where its own pages are damaged,
 * the engine does not open a file, and no code of the object runs.
 */
function damage(file: string): boolean {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const bytes = readFileSync(file);
  if (!bytes.includes(`${WORD}-broken`)) return false;
  for (let at = PAGE; at < bytes.length; at += PAGE)
    if (bytes.subarray(at, at + PAGE).includes(`${WORD}-broken`)) bytes.fill(0xa5, at, at + PAGE);
  writeFileSync(file, bytes);
  return true;
}

async function refusalOf(server: Server, room: string): Promise<string> {
  const peer = await Peer.room(server, `hall/group:${room}`, "alice").catch(
    (error: Error) => error.message,
  );
  if (typeof peer === "string") return peer;
  const answer = await peer.call("say", [room, "hello"]);
  peer[Symbol.dispose]();
  return answer?.error ? `call: ${answer.error.data?.code}` : answer ? "served" : "unanswered";
}

async function run({ server }: Stage): Promise<Outcome> {
  for (const room of ["broken", "whole"]) {
    using peer = await Peer.room(server, `hall/group:${room}`, "alice");
    for (let i = 0; i < 20; i += 1)
      await peer.call("say", [room, `${WORD}-${room} ${"x".repeat(2_000)}`]);
  }
  await server.kill();
  const damaged = server.files().filter((file) => damage(file));
  const began = server.logs.length;
  await server.begin();
  const [broken, whole] = [await refusalOf(server, "broken"), await refusalOf(server, "whole")];
  const log = server.logs.slice(began);
  const url = `${server.url}/api/hubs/hall/rooms/group%3Abroken`;
  const authorization = `Bearer ${server.serviceToken(url)}`;
  const erased = await fetch(url, { method: "DELETE", headers: { authorization } });
  const healed = await refusalOf(server, "broken");
  const isNamed = log
    .split("\n")
    .some((line) => line.includes("storage_corrupt") && line.includes("broken"));
  return {
    facts: [`broken: ${broken}; another: ${whole}; erase: ${erased.status}; then: ${healed}`],
    failures: [
      ...(damaged.length === 1 ? [] : [`${damaged.length} files were damaged`]),
      ...(whole === "served" ? [] : ["another room suffers"]),
      ...(broken.includes("storage_corrupt") ? [] : ["no stable code"]),
      ...(isNamed ? [] : ["the log names no room"]),
      ...(erased.ok && healed === "served" ? [] : ["erase does not heal it"]),
    ],
  };
}

export const corrupt: Attack = {
  ...{ name: "L8", title: "one room's file is damaged", isWatched: false, takes: 10, run },
};
