// A hub as its authors should not write it: messages and errors that cannot be sent, values that are changed where they
// are kept, hooks that fail.

import * as z from "zod";
import { hub, method, signedIn, stream } from "../../src/hub.ts";

interface AuthorClient {
  said(value: unknown): void;
}

type Thrown = "null" | "bare" | "revoked" | "getter";

function circle(): object {
  const one: Record<string, unknown> = {};
  return Object.assign(one, { one });
}

const UNSENDABLE = {
  nan: NaN,
  circle: circle(),
  large: "x".repeat(3_000),
  bigint: 2n ** 70n,
  prototype: JSON.parse('{ "__proto__": 1 }') as unknown,
};

export type Unsendable = keyof typeof UNSENDABLE;
export const UNSENDABLES = Object.keys(UNSENDABLE) as Unsendable[];

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const thrown: Record<Thrown, () => unknown> = {
  null: () => null,
  bare: () => Object.create(null),
  revoked,
  getter: () =>
    Object.defineProperty(new Error(), "stack", {
      get() {
        throw new Error("none");
      },
    }),
};

const Text = z.string();
const failing = (hook: string, id: string) => {
  if (id === `fails in ${hook}`) throw new Error("As asked.");
};

export const AuthorHub = hub<AuthorClient>("authors", {
  authorize: signedIn,
  rooms: { group: { enter: signedIn } },
  liveness: { graceSeconds: 0 },
  limits: { publishBytes: 2_000 },
  connected: ({ user }) => failing("connected", user.id),
  disconnected: ({ user }) => failing("disconnected", user.id),
  joined: async ({ clients, user }) => {
    failing("joined", user.id);
    if (user.id === "waits") await clients.all.said(NaN);
    if (user.id === "waits not") void clients.all.said(NaN);
  },
  left: ({ user }) => failing("left", user.id),
  presenceChanged: ({ room }) => failing("presenceChanged", room.name),
}).methods({
  /** Waits for nothing that it sends. */
  say: method([Text, Text], ({ clients }, group, value) => {
    void clients.group(group).said(UNSENDABLE[value as Unsendable]);
    return "said";
  }),
  tell: method([Text], ({ clients }, value) => {
    void clients.caller.said(UNSENDABLE[value as Unsendable]);
    return "told";
  }),
  sayAndCatch: method([Text, Text], async ({ clients }, group, value) => {
    await clients
      .group(group)
      .said(UNSENDABLE[value as Unsendable])
      .catch(() => {});
    return "said";
  }),
  give: method([Text], (_context, value) => UNSENDABLE[value as Unsendable]),
  fail: method([Text], (_context, what) => {
    throw thrown[what as Thrown]();
  }),
  keep: method([], ({ items }) => items.set("list", [1])),
  /** Changes what was kept, without keeping it again. */
  change: method([], ({ items }) => (items.get("list") as number[]).push(2)),
  promote: method([], ({ user }) => (user.roles as string[]).push("Admin")),
  roles: method([], ({ user }) => user.roles),
  rename: method([], ({ room }) => {
    (room as { name: string }).name = "other";
  }),
  renameAll: method([], ({ all }) => {
    (all.topic as { name: string }).name = "other";
  }),
  /** The state that is shown is changed, and then the state that was read. */
  track: method([Text], async ({ group }, name) => {
    const { presence } = group(name);
    const state = { n: 1, at: new Date(0) };
    await presence.track(state);
    state.n = 2;
    const stateOf = async () => (await presence.list()).at(0)!.state as { n: number };
    const read = await stateOf();
    const shown = { ...read };
    read.n = 3;
    return [shown, await stateOf()];
  }),
  /** Names that types would refuse. */
  number: method([Text], async ({ clients, group, order }, where) => {
    const name = 42 as unknown as string;
    const places: Readonly<Record<string, () => unknown>> = {
      "clients.group": () => clients.group(name).said(1),
      "clients.user": () => clients.user(name).said(1),
      "clients.othersIn": () => clients.othersIn(name).said(1),
      group: () => group(name).join(),
      order: () => order(name).join(),
    };
    await places[where]!();
  }),
  background: method([], ({ waitUntil }) =>
    waitUntil((async () => {}) as unknown as Promise<unknown>),
  ),
  copy: method([], (context) => {
    const { connectionId, ...others } = context;
    return [typeof connectionId, Object.keys(others), Object.keys({ ...context })];
  }),
  endless: stream([], async function* () {
    try {
      for (let n = 1; ; n++) yield n;
    } finally {
      // oxlint-disable-next-line no-unsafe-finally -- an author may
      throw new Error("not closed");
    }
  }),
});
