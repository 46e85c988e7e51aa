// S10: caps, each taken to its end: sockets of a room and of a user, groups of a connection, bytes of a token, of
// history, of a state. Beyond each there is its documented error, and the room serves on.

import { readFileSync } from "node:fs";
import type { Attack, Outcome, Stage } from "./attack.ts";
import { Peer, tally } from "./peer.ts";
import type { Server } from "./server.ts";

/** Open files that a process may have: workerd has two for each socket. */
const FILES = Number(
  /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1],
);
const SOCKETS = Math.min(10_000, Math.floor((FILES - 1_000) / 2));
const A_USER = 50;
const ROOM = "hall/group:caps";

interface Refusal extends Error {
  readonly code?: string;
}

const refusalOf = (attempt: Promise<Peer>): Promise<string> =>
  attempt.then(
    (peer) => (peer[Symbol.dispose](), "let in"),
    (error: Refusal) => error.message,
  );

async function fill(server: Server): Promise<Peer[]> {
  const peers: Peer[] = [];
  let next = 0;
  const enter = async (): Promise<void> => {
    for (let n = next++; n < SOCKETS; n = next++) {
      const peer = await Peer.room(server, ROOM, `user-${Math.floor(n / A_USER)}`);
      peer.onFrame = () => {};
      peers.push(peer);
    }
  };
  await Promise.all(Array.from({ length: 20 }, enter));
  return peers;
}

async function everybodyHears(server: Server, peers: readonly Peer[]): Promise<number> {
  using speaker = await Peer.room(server, ROOM, "speaker");
  let heard = 0;
  const all = peers.map(
    (peer) =>
      new Promise<void>((resolve) => {
        peer.onFrame = ({ method }) => method === "said" && ((heard += 1), resolve());
      }),
  );
  await speaker.call("say", ["caps", "good morning"]);
  const late = new Promise((resolve) => setTimeout(resolve, 20_000));
  await Promise.race([Promise.all(all), late]);
  return heard;
}

async function groups(server: Server): Promise<string> {
  using peer = await Peer.hub(server, "joiner");
  const codes: string[] = [];
  for (let n = 0; n < 110; n += 1) {
    const answer = await peer.call("$/join", { room: `group:cap-${n}` });
    codes.push(answer?.error?.data?.code ?? "joined");
    if (n % 40 === 39) await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return tally(codes);
}

async function history(server: Server): Promise<string> {
  using peer = await Peer.hub(server, "reader");
  for (let n = 0; n < 100; n += 1) {
    const answer = await peer.call("say", ["large", "x".repeat(11_900)]);
    if (answer?.error) await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const codes: string[] = [];
  for (let n = 0; n < 20; n += 1) {
    const answer = await peer.call("$/history", { room: "group:large", limit: 100 });
    codes.push(answer?.error?.data?.code ?? "read");
  }
  return tally(codes);
}

async function large(server: Server): Promise<Record<string, string>> {
  const channels = Array.from({ length: 90 }, (_, n) => `group:${n}`.padEnd(200, "x"));
  const token = server.token("large", { caps: [{ channels, match: "wildcard", allow: ["sub"] }] });
  const url = `ws://127.0.0.1:${server.port}/parties/${ROOM}?access_token=${token}`;
  using peer = await Peer.room(server, ROOM, "tracker");
  const state = await peer.call("$/track", { state: "x".repeat(1_100) });
  const argument = await peer.call("take", ["x".repeat(33_000)]);
  return {
    "a token beyond an attachment": await refusalOf(Peer.open(url)),
    "a state of 1,100 bytes": state?.error?.data?.code ?? "taken",
    // Not read, so that its answer has no id.
    "a frame of 33 KB": argument ? "taken" : (refused(peer) ?? "unanswered"),
  };
}

const refused = ({ frames }: Peer): string | undefined =>
  frames.find(({ id, error }) => id === null && error)?.error?.data?.code;

async function run({ server }: Stage): Promise<Outcome> {
  const before = server.residentBytes();
  const peers = await fill(server);
  const found: Record<string, string> = {
    "the user's 51st socket": await refusalOf(Peer.room(server, ROOM, "user-0")),
    "110 groups": await groups(server),
    "20 pages of history": await history(server),
    ...(await large(server)),
  };
  const heard = await everybodyHears(server, peers);
  const resident = server.residentBytes() - before;
  for (const peer of peers) peer[Symbol.dispose]();
  const wanted: Readonly<Record<string, RegExp>> = {
    "the user's 51st socket": /^429 too_many_connections/,
    "110 groups": /^100 × joined, 10 × too_many_groups$/,
    "20 pages of history": /rate_limited/,
    "a token beyond an attachment": /^4\d\d (?:token_too_large|too_large|token_claim_invalid)/,
    "a state of 1,100 bytes": /^too_large$/,
    "a frame of 33 KB": /^too_large$/,
  };
  return {
    facts: [
      `${heard} of ${peers.length} sockets heard a message, ${(resident / peers.length / 1_024).toFixed(1)} KB each`,
      ...Object.entries(found).map(([what, answer]) => `${what}: ${answer}`),
    ],
    failures: [
      ...(heard === SOCKETS ? [] : ["not all heard it"]),
      ...Object.entries(wanted).flatMap(([what, as]) => (as.test(found[what] ?? "") ? [] : [what])),
    ],
  };
}

export const caps: Attack = {
  ...{ name: "S10", title: "10,000 sockets in a room, and every other cap", isWatched: false },
  ...{ takes: 90, run },
};
