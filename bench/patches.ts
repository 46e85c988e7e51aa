// `npm run bench -- patches`: bytes of an update where fifty cursors move thirty times a second: our merge patches
// beside the encodings of Yjs and of Colyseus, by their own libraries. No socket is opened.

import { parseArgs } from "node:util";
import { patchBetween } from "../src/model/merge-patch.ts";
import { signalrJson } from "../src/protocols/signalr-json.ts";
import { signalrMsgpack } from "../src/protocols/signalr-msgpack.ts";
import { jsonRpc } from "../src/protocols/json-rpc-codec.ts";

const HELP = `npm run bench -- patches

Prints the bytes of an update of a board with 50 cursors, all of which moved, and of one where 5 did. Yjs and Colyseus
are no dependencies of ours: npm install --no-save yjs @colyseus/schema
`;

const NAMES = { verbatim: false } as const;
const CURSORS = 50;
const UPDATES = 30;

interface Point {
  x: number;
  y: number;
}
type Cursors = Record<string, Point>;
/** Gives the bytes of the update for the cursors that moved. */
type Encode = (moved: Cursors) => number;

const userAt = (n: number): string => `user-${String(n).padStart(2, "0")}`;
/** Pixels, as a page rounds them. */
const pointAt = (n: number, step: number): Point => ({
  x: (n * 37 + step * 13) % 1_920,
  y: (n * 53 + step * 7) % 1_080,
});
const textBytes = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Ours by one of the protocols, with its envelope. */
function ours(encode: (params: string) => string | Uint8Array): () => Encode {
  return () => {
    let state: { cursors: Cursors } = { cursors: {} };
    return (moved) => {
      const next = { cursors: { ...state.cursors, ...moved } };
      const patch = patchBetween(state, next);
      state = next;
      const record = encode(JSON.stringify({ patch }));
      return typeof record === "string" ? textBytes(record) : record.byteLength;
    };
  };
}

const message = (params: string) =>
  ({ type: "state", room: "group:board", position: "abcdefghi:1000", params }) as const;

async function yjs(): Promise<() => Encode> {
  const Y = await import(moduleName("yjs"));
  return () => {
    const doc = new Y.Doc();
    const cursors = doc.getMap("cursors");
    let bytes = 0;
    doc.on("update", (update: Uint8Array) => (bytes = update.byteLength));
    return (moved) => {
      doc.transact(() => {
        for (const [user, point] of Object.entries(moved)) cursors.set(user, point);
      });
      return bytes;
    };
  };
}

async function colyseus(): Promise<() => Encode> {
  const { Encoder, MapSchema, schema, t } = await import(moduleName("@colyseus/schema"));
  const PointSchema = schema({ x: t.uint16(), y: t.uint16() });
  const Board = schema({ cursors: t.map(PointSchema) });
  return () => {
    const board = new Board();
    board.cursors = new MapSchema();
    const encoder = new Encoder(board);
    return (moved) => {
      for (const [user, { x, y }] of Object.entries(moved)) {
        const point = board.cursors.get(user) ?? new PointSchema();
        Object.assign(point, { x, y });
        if (!board.cursors.has(user)) board.cursors.set(user, point);
      }
      const { byteLength } = encoder.encode();
      encoder.discardChanges();
      return byteLength;
    };
  };
}

/** Not known to the compiler: it need not be installed. */
const moduleName = (name: string): string => name;

const cursorsAt = (step: number, users: readonly number[]): Cursors =>
  Object.fromEntries(users.map((n) => [userAt(n), pointAt(n, step)]));

/** The mean of thirty updates, after the first has brought all cursors. */
function meanOf(begin: () => Encode, moving: number): number {
  const encode = begin();
  const all = Array.from({ length: CURSORS }, (_, n) => n);
  encode(cursorsAt(0, all));
  const sizes = Array.from({ length: UPDATES }, (_, step) =>
    encode(cursorsAt(step + 1, all.slice(0, moving))),
  );
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / UPDATES);
}

const ENCODINGS: readonly (readonly [string, () => Promise<() => Encode> | (() => Encode)])[] = [
  ["merge patch alone, JSON", () => ours((params) => params)],
  [
    "in JSON-RPC, a room's socket",
    () => ours((params) => jsonRpc.encode(message(params)) as string),
  ],
  [
    "in SignalR, JSON",
    () => ours((params) => signalrJson(NAMES).encode(message(params)) as string),
  ],
  [
    "in SignalR, MessagePack",
    () => ours((params) => signalrMsgpack(NAMES).encode(message(params)) as Uint8Array),
  ],
  ["Yjs, `Y.Map`", yjs],
  ["Colyseus, `MapSchema` of `uint16`", colyseus],
];

export async function patches(args: readonly string[]): Promise<boolean> {
  const options = { help: { type: "boolean", default: false } } as const;
  if (parseArgs({ args: [...args], options }).values.help) {
    console.log(HELP);
    return true;
  }
  console.log("| bytes of an update | all 50 move | 5 move |\n| --- | ---: | ---: |");
  for (const [title, load] of ENCODINGS) {
    // oxlint-disable-next-line no-await-in-loop -- rows in their order
    const begin = await Promise.resolve(load()).catch(() => undefined);
    const sizes = [CURSORS, 5].map((moving) =>
      begin ? String(meanOf(begin, moving)) : "not installed",
    );
    console.log(`| ${title} | ${sizes.join(" | ")} |`);
  }
  return true;
}
