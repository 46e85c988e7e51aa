// Streams that have more to replay than may wait for a reader: each attempt brings its reader further, until it has
// everything, once and in order.

import { ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { formatPosition } from "../../../src/model/topic.ts";
import { formatPositions } from "../../../src/edge/sse/sse-events.ts";
import { as, clientBy, PROTOCOLS, say, type ProtocolName } from "../grpc/client.ts";
import { listen } from "../sse/listener.ts";

const WORDS = ["1", "2", "3", "4"];
/** A room replays a million characters at once, and counts no bytes: of these there are three times as many. */
const LONG = "文".repeat(200_000);
/** More than are needed. How many are, depends on how fast the reader is. */
const ATTEMPTS = 20;

/** Rooms that have said all words, and the position of each before them. */
async function spoken(names: readonly string[]): Promise<Map<string, string>> {
  const positions = names.map(async (name) => {
    const before = await say(`plain/${name}`, "before");
    // oxlint-disable-next-line no-await-in-loop -- one after another
    for (const word of WORDS) await say(`plain/${name}`, `${name} ${word}`, LONG);
    return [name, formatPosition(before)] as const;
  });
  return new Map(await Promise.all(positions));
}

/** The words of each room, in the order in which they came. */
const byRoom = (names: readonly string[], words: readonly string[]) =>
  names.map((name) => words.filter((word) => word.startsWith(`${name} `)));

const all = (names: readonly string[]) =>
  names.map((name) => WORDS.map((word) => `${name} ${word}`));

/** The words of an event stream until its end, or until `most` have come; and the last event's id. */
async function readEvents(names: readonly string[], since: string, most: number) {
  const [own = "", ...others] = names;
  const path = `/hubs/plain/groups/${own.slice("group:".length)}?rooms=${others.join()}`;
  const stream = await listen(path, { "last-event-id": since });
  expect(stream.response.status).toBe(200);
  const said = () => stream.told.filter(({ event, data }) => event === "said" && data[1] === LONG);
  await Promise.race([stream.isOver, stream.next(() => said().length >= most)]);
  await stream.stop().catch(() => {});
  const last = stream.told.findLast(({ id }) => id !== undefined)?.id ?? since;
  return { words: said().map(({ data }): string => data[0]), last };
}

/** The same of a subscription, which goes on after `positions`, and changes them. */
async function readTopics(positions: Map<string, string>, most: number, protocol: ProtocolName) {
  const topics = [...positions].map(([topic, position]) => ({ topic, position }));
  const words: string[] = [];
  try {
    for await (const { kind } of clientBy(protocol).subscribe(
      { hub: "plain", topics },
      await as("alice"),
    )) {
      if (kind.case !== "event") continue;
      positions.set(kind.value.topic, kind.value.position);
      words.push(String(kind.value.arguments!.values[0]!.kind.value));
      if (words.length === most) break;
    }
  } catch (error) {
    if (ConnectError.from(error).rawMessage !== "The reader is too slow.") throw error;
  }
  return words;
}

describe.each([1, 3])("of %i rooms", (count) => {
  const named = (prefix: string) =>
    Array.from({ length: count }, (_, index) => `group:${prefix}-${count}-${index}`);

  it("an event stream is resumed to its end", async () => {
    const names = named("large");
    const positions = await spoken(names);
    let since = count === 1 ? positions.get(names[0]!)! : formatPositions(positions);
    const words: string[] = [];
    const most = count * WORDS.length;
    for (let attempt = 0; attempt < ATTEMPTS && words.length < most; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one stream after another
      const read = await readEvents(names, since, most - words.length);
      words.push(...read.words);
      since = read.last;
    }
    expect(byRoom(names, words)).toEqual(all(names));
  });

  it.each(PROTOCOLS)("a subscription over %s is resumed to its end", async (protocol) => {
    const names = named(protocol);
    const positions = await spoken(names);
    const words: string[] = [];
    const most = count * WORDS.length;
    for (let attempt = 0; attempt < ATTEMPTS && words.length < most; attempt += 1)
      // oxlint-disable-next-line no-await-in-loop -- one stream after another
      words.push(...(await readTopics(positions, most - words.length, protocol)));
    expect(byRoom(names, words)).toEqual(all(names));
  });
});
