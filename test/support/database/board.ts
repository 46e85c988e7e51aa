// board.ts: notes in D1.
import { z } from "zod";
import { hub, method, signedIn } from "dormouse/hub";

const Note = z.object({ id: z.uuid(), text: z.string().max(2_000) });
interface StoredNote extends z.infer<typeof Note> {
  readonly author: string;
}

export interface BoardClient {
  added(note: StoredNote): void;
}

export const BoardHub = hub<BoardClient>("board", {
  rooms: { group: { enter: signedIn } },
}).methods({
  add: method([z.string().max(64), Note], async ({ clients, env, user }, board, { id, text }) => {
    const [, stored] = await env.DB.batch<StoredNote>([
      env.DB.prepare("INSERT OR IGNORE INTO notes VALUES (?, ?, ?, ?)").bind(
        id,
        board,
        user.id,
        text,
      ),
      env.DB.prepare("SELECT id, author, text FROM notes WHERE id = ? AND board = ?").bind(
        id,
        board,
      ),
    ]);
    // Committed. What is published from here on is in the database.
    for (const note of stored!.results) await clients.group(board).added(note);
  }),
  notes: method([z.string().max(64)], async ({ env }, board) => {
    const query = env.DB.prepare(
      "SELECT id, author, text FROM notes WHERE board = ? ORDER BY id LIMIT 100",
    );
    return (await query.bind(board).all<StoredNote>()).results;
  }),
});
