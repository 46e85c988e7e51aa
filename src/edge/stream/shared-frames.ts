// What a room says to those who only listen, read once for all of them: a room says the same to each of its streams,
// and a thousand of them need not parse it a thousand times.

import { eventOf, isHello, isQuestion, textOf, type Heard } from "../sse/sse-events.ts";

export interface Frame {
  readonly text: string;
  readonly records: readonly Heard[];
  /** As events, for streams that listen to nothing else. Absent where it depends on the stream what they are. */
  readonly alike?: Alike;
}

interface Alike {
  /** Many write them, so nobody may change them. */
  readonly bytes: Uint8Array;
  /** Where they leave a client. */
  readonly position: string | undefined;
}

/** Characters of all that is remembered: the newest frames of many rooms. */
const REMEMBERED = 512 * 1024;
/** A frame's end has the last position in it. */
const TAIL = 64;

/** By room and tail, the oldest first. Whole texts are compared: nobody hears but what was said to them. */
const remembered = new Map<string, Frame>();
let characters = 0;

export function frameOf(room: string, text: string): Frame {
  const key = `${room} ${text.slice(-TAIL)}`;
  const known = remembered.get(key);
  if (known?.text === text) return known;
  const frame = read(room, text);
  remember(key, frame);
  return frame;
}

function read(room: string, text: string): Frame {
  const said = JSON.parse(text) as Heard | Heard[];
  const records = Array.isArray(said) ? said : [said];
  const differs = records.some((record) => isHello(record) || isQuestion(record));
  return differs ? { text, records } : { text, records, alike: alikeOf(room, records) };
}

function alikeOf(room: string, records: readonly Heard[]): Alike {
  const events = records.flatMap((record) => eventOf(room, record, undefined) ?? []);
  const text = events.map((event) => textOf(event, event.position)).join("");
  const position = events.findLast((event) => event.position !== undefined)?.position;
  return { bytes: new TextEncoder().encode(text), position };
}

function remember(key: string, frame: Frame): void {
  forget(key);
  remembered.set(key, frame);
  characters += frame.text.length;
  for (const oldest of remembered.keys()) {
    if (characters <= REMEMBERED) return;
    forget(oldest);
  }
}

function forget(key: string): void {
  characters -= remembered.get(key)?.text.length ?? 0;
  remembered.delete(key);
}
