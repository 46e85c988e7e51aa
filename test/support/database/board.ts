// board.ts: notes in D1.
import * as z from "zod";
import { hub, method, signedIn } from "dormouse-hubs/hub";

const Board = z.string().max(64);
const Note = z.object({ id: z.uuid(), text: z.string().max(2_000) });
type StoredNote = z.infer<typeof Note> & { readonly author: string };

export interface BoardClient {
  added(note: StoredNote): void;
}

export const BoardHub = hub<BoardClient>("board", {
  rooms: { group: { enter: signedIn } },
}).methods({
  add: method([Board, Note], async ({ clients, env, user }, board, { id, text }) => {
    const insert = env.DB.prepare("INSERT OR IGNORE INTO notes VALUES (?, ?, ?, ?)");
    const select = env.DB.prepare("SELECT id, author, text FROM notes WHERE id = ? AND board = ?");
    const [, stored] = await env.DB.batch<StoredNote>([
      insert.bind(id, board, user.id, text),
      select.bind(id, board),
    ]);
    // Committed: from here on, a publication is about a stored row.
    for (const note of stored!.results) await clients.group(board).added(note);
  }),
  notes: method([Board], async ({ env }, board) => {
    const notes = env.DB.prepare("SELECT id, author, text FROM notes WHERE board = ? LIMIT 100");
    return (await notes.bind(board).all<StoredNote>()).results;
  }),
});
