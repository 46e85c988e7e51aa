// [S8] Three tenants with the same hubs, rooms and users: whatever one does, the others hear and see nothing of it.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { enter, type Client } from "../../rooms/client.ts";
import { chanceOf, sizeOf } from "../../support/seed.ts";

const OPERATIONS = sizeOf(2_000, 10_000);
const SEED = 20_261_001;
const TENANTS = ["acme", "Acme", "acme/chat"]; // alike, but for what only an exact name tells apart
const USERS = ["alice", "bob"];
const ROOMS = ["group:lobby", "group:a/b", "order:1"];

// Every round is a fiftieth of a second later: what one member may call, however fast the machine. The clock is never
// behind the engine's: alarms that objects set would be due at once, and ring without end.
const ROUND_MS = 20;
let ahead = 0;
const nextRound = () => {
  ahead = Math.max(ahead + ROUND_MS, performance.timeOrigin + performance.now());
  vi.setSystemTime(ahead);
};
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

interface Member {
  readonly tenant: string;
  readonly client: Client;
  readonly group: string;
}

async function everybody(): Promise<Member[]> {
  const places = TENANTS.flatMap((tenant) =>
    USERS.flatMap((user) => ROOMS.map((room) => ({ tenant, user, room }))),
  );
  return Promise.all(
    places.map(async ({ tenant, user, room }) => ({
      tenant,
      group: room.slice(room.indexOf(":") + 1),
      client: await enter(`notifications/${encodeURIComponent(room)}`, {
        user,
        claims: { tid: tenant },
      }),
    })),
  );
}

/** One thing that a member does; whatever it says carries its tenant as a canary. */
const OPERATION: readonly ((member: Member, canary: string) => readonly [string, unknown])[] = [
  ({ group }, canary) => ["sendToGroup", [group, canary]],
  (_, canary) => ["sendToUser", ["alice", canary]],
  (_, canary) => ["sendToUser", ["bob", canary]],
  (_, canary) => ["$/track", { state: canary }],
  () => ["$/history", {}],
  () => ["$/presence", {}],
];

it(`[S8] ${OPERATIONS} operations of three tenants reach nobody of another tenant`, async () => {
  const random = chanceOf(SEED).below;
  const members = await everybody();
  let refused = 0;
  for (let done = 0; done < OPERATIONS; done += members.length) {
    nextRound();
    const answers = members.map((member) => {
      const operation = OPERATION[random(OPERATION.length)]!;
      const [method, params] = operation(member, `canary of ${member.tenant}.`);
      return member.client.call(method, params);
    });
    for (const { error } of await Promise.all(answers)) if (error) refused++;
  }
  expect(refused, `seed ${SEED}`).toBe(0);
  for (const { tenant, client } of members) {
    const foreign = TENANTS.filter((other) => other !== tenant).map(
      (other) => `canary of ${other}.`,
    );
    const own = client.frames.filter((frame) => frame.includes(`canary of ${tenant}.`));
    expect(own.length, "a test that could hear nothing would prove nothing").toBeGreaterThan(
      OPERATIONS / 200,
    );
    expect(
      client.frames.filter((frame) => foreign.some((canary) => frame.includes(canary))),
    ).toEqual([]);
    client[Symbol.dispose]();
  }
}, 360_000);

it("[S8] counts nobody of another tenant among those present", async () => {
  const [alice, bob] = [
    await enter("chat/group:count", { user: "alice", claims: { tid: "one" } }),
    await enter("chat/group:count", { user: "bob", claims: { tid: "two" } }),
  ];
  for (const client of [alice, bob]) {
    const { result } = await client.call("$/presence");
    expect(result).toMatchObject({ users: 1, connections: 1 });
    client[Symbol.dispose]();
  }
});
