// Tokens that end in the middle of a stream of messages: 200 connections, half of which bring a fresh one in time.

import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import { MEMBERS, type Member } from "../relay/members.ts";
import { relayNamed } from "../relay/client.ts";
import { roomAt, token } from "../client.ts";

const HUB = "closed";
const ROOM = "group:s6";
const LEEWAY_MS = 60_000;
/** A connection closes this much after its token's end, leeway included, at the latest. */
const LATE_MS = 1_000;

interface Held {
  readonly member: Member;
  readonly expiresAt: number;
  readonly isRefreshed: boolean;
  /** What had been said when it ended. */
  ended?: number;
}

const seconds = (ms: number) => Math.floor(ms / 1000);

async function hold(n: number, kind: string): Promise<Held> {
  const exp = seconds(Date.now()) + 5 + (n % 26);
  const claims = { exp, channels: [ROOM], caps: [{ channels: [ROOM], allow: ["sub"] }] };
  const user = `s6-${n}`;
  const access = await token(user, claims);
  const member = await MEMBERS[kind]!({ hub: HUB, user, claims, room: ROOM }, access);
  const isRefreshed = n % 2 === 1;
  if (isRefreshed) await member.refresh({ ...claims, exp: exp + 3_600 });
  return { member, expiresAt: exp * 1000 + LEEWAY_MS, isRefreshed };
}

it.each([
  ["room", "JSON-RPC, one room", 4401],
  ["relay", "JSON-RPC, a whole hub", 4401],
  ["relay", "SignalR, WebSockets, JSON", 1000],
] as const)(
  "[S6] of 200 in a %s (%s) all without a fresh token are closed in time, and hear nothing after; the others hear all",
  { timeout: 60_000 },
  async (where, kind, closeCode) => {
    vi.useFakeTimers({ toFake: ["Date"], now: seconds(Date.now()) * 1000 });
    try {
      const all = await Promise.all(Array.from({ length: 200 }, (_, n) => hold(n, kind)));
      const object = where === "room" ? roomAt(`${HUB}/${ROOM}`) : relayNamed(HUB, "any.0.0");
      const said: string[] = [];
      const isOpen = ({ ended }: Held) => ended === undefined;
      const say = async (word: string) => {
        said.push(word);
        const params = JSON.stringify([word]);
        await roomAt(`${HUB}/${ROOM}`).publish({ target: "said", params });
        await Promise.all(all.filter(isOpen).map(({ member }) => member.hears(word)));
      };
      await say("first");
      const last = Math.max(...all.map(({ expiresAt }) => expiresAt).slice(0, 26));
      while (Date.now() < last) {
        const due = await runInDurableObject(object, (_, { storage }) => storage.getAlarm());
        vi.setSystemTime(Math.max(due!, Date.now()));
        await runDurableObjectAlarm(object);
        const over = all.filter(
          (one) => isOpen(one) && !one.isRefreshed && one.expiresAt <= Date.now(),
        );
        for (const one of over) {
          expect(Date.now() - one.expiresAt).toBeLessThanOrEqual(LATE_MS);
          expect((await one.member.closed).code).toBe(closeCode);
          one.ended = said.length;
        }
        await say(`at ${Date.now()}`);
      }
      expect(all.filter(isOpen).every(({ isRefreshed }) => isRefreshed)).toBe(true);
      expect(all.filter(isOpen)).toHaveLength(100);
      for (const { member, ended } of all) expect(member.words).toEqual(said.slice(0, ended));
      for (const { member } of all) member.end();
    } finally {
      vi.useRealTimers();
    }
  },
);
