// Fresh tokens under load: a hundred connections of each protocol and transport, none of which loses a message, and
// each of which is out of the room that its new token does not name.

import { expect, it } from "vitest";
import { roomAt } from "../client.ts";
import { MEMBERS, memberOf } from "./members.ts";

const CROWD = 100;
const WORDS = 60;
/** Of clients that poll: each word costs each of them requests. */
const POLLED_WORDS = 20;
const say = (room: string, word: string) =>
  roomAt(`closed/${room}`).publish({ target: "said", params: JSON.stringify([word]) });

it.each(Object.keys(MEMBERS))(
  "%s: a hundred are refreshed and lose nothing but the room that is taken from them",
  { timeout: 180_000 },
  async (kind) => {
    const at = kind.replaceAll(/\W/g, "");
    const [kept, taken, given] = [`group:kept-${at}`, `group:taken-${at}`, `group:given-${at}`];
    const caps = [{ channels: [kept], allow: ["sub"] }];
    const before = { caps, channels: [kept, taken] };
    const after = { caps, channels: [kept, given] };
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, n) =>
        memberOf(kind, { hub: "closed", user: `u${n}`, claims: before, room: kept }),
      ),
    );
    await say(taken, "taken 1");
    await Promise.all(crowd.map((one) => one.hears("taken 1")));
    const words = Array.from(
      { length: kind.endsWith("polling") ? POLLED_WORDS : WORDS },
      (_, n) => `${n}`,
    );
    const speaking = (async () => {
      for (const word of words) await say(kept, word);
    })();
    const left = await Promise.all(crowd.map((one) => one.refresh(after)));
    await speaking;
    expect(left).toEqual(crowd.map(() => [taken]));
    await say(taken, "taken 2");
    await say(given, "given");
    await say(kept, "end");
    for (const { hears } of crowd) await Promise.all([hears("given"), hears("end")]);
    for (const { words: heard } of crowd) {
      expect(heard.filter((word) => word !== "given")).toEqual(["taken 1", ...words, "end"]);
      expect(heard.filter((word) => word === "given")).toHaveLength(1);
    }
    for (const one of crowd) one.end();
  },
);
