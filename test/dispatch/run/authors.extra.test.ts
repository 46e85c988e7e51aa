// Code of hubs that does what it should not: nothing is lost in silence, and nobody waits for ever.

import { describe, expect, it, onTestFinished, vi } from "vitest";
import { calling, world } from "../../../src/dispatch/testing/testing.ts";
import { Client, enter, roomAt, token, upgrade } from "../../rooms/client.ts";
import { AuthorHub, UNSENDABLES, type Unsendable } from "../../support/author-hub.ts";

/** Gives the result of a call, or `error:` and the code of its error. */
type Caller = (method: string, ...args: unknown[]) => Promise<unknown>;

const closing = (client: Client): Client => {
  onTestFinished(() => client[Symbol.dispose]());
  return client;
};

const callsOf =
  (client: Client): Caller =>
  async (method, ...args) => {
    const { result, error } = await client.call(method, args);
    return error ? `error:${error.data.code}` : result;
  };

async function wholeHub(): Promise<Client> {
  const access = await token("alice");
  const { webSocket } = await upgrade(`/hubs/authors/rpc?arrays=1&access_token=${access}`);
  return closing(new Client(webSocket!));
}

const codeOf = ({ code = "internal" }: { code?: string }) => `error:${code}`;

const STAGES: readonly [string, () => Promise<Caller>][] = [
  ["the room", async () => callsOf(closing(await enter("authors/group:lobby")))],
  ["a relay", async () => callsOf(await wholeHub())],
  [
    "a world",
    async () => {
      const alice = await world(AuthorHub).connect({ user: "alice", room: "group:lobby" });
      return (method, ...args) => alice.call(method, args).catch(codeOf);
    },
  ],
  [
    "a test of calls",
    async () => {
      const { invoke } = calling(AuthorHub, { room: "group:lobby" });
      const calls = invoke as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      return (method, ...args) => calls[method]!(...args).catch(codeOf);
    },
  ],
];

/** The lines of the log with this event. */
function logged(event: string): () => Record<string, unknown>[] {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  onTestFinished(() => log.mockRestore());
  const lines = () => log.mock.calls.map(([line]) => JSON.parse(line) as Record<string, unknown>);
  return () => lines().filter((line) => line["event"] === event);
}

const codeOfUnsendable = (value: Unsendable) => (value === "large" ? "too_large" : "internal");

describe.each(STAGES)("in %s", (stage, callerIn) => {
  const isLimited = stage !== "a test of calls";

  it.each(UNSENDABLES.filter((value) => isLimited || value !== "large"))(
    "a message that cannot be sent fails the call that does not wait for it: %s",
    async (value) => {
      const lines = logged("call_failed");
      const call = await callerIn();
      const outcome = `error:${codeOfUnsendable(value)}`;
      expect(await call("say", "lobby", value)).toBe(outcome);
      expect(await call("tell", value)).toBe(outcome);
      expect(await call("sayAndCatch", "lobby", value)).toBe(outcome);
      expect(lines()).toHaveLength(isLimited && value !== "large" ? 3 : 0);
    },
  );

  it("a result in a circle is refused, with where it closes", async () => {
    const lines = logged("call_failed");
    expect(await (await callerIn())("give", "circle")).toBe("error:internal");
    const line = { error: expect.stringContaining("property 'one' closes the circle") };
    expect(lines()).toMatchObject(isLimited ? [line] : []);
  });

  it("values that are kept do not change where they were read", async () => {
    const call = await callerIn();
    await call("keep");
    expect(await call("change")).toBe(2);
    expect(await call("change")).toBe(2);
  });

  it.each(["clients.group", "clients.user", "clients.othersIn", "group", "order"])(
    "a name that is no string is an error of the hub, and says so: %s",
    async (where) => {
      const lines = logged("call_failed");
      expect(await (await callerIn())("number", where)).toBe("error:internal");
      const sentence = "The name of a room or user is a string, not number.";
      const line = { method: "authors.number", error: expect.stringContaining(sentence) };
      expect(lines()).toMatchObject(isLimited ? [line] : []);
    },
  );

  it("a context is not to be copied", async () => {
    expect(await (await callerIn())("copy")).toEqual(["string", [], []]);
  });
});

describe.each(STAGES)("in %s", (stage, callerIn) => {
  it("hub code cannot change its user, nor its room", async () => {
    const lines = logged("call_failed");
    const call = await callerIn();
    expect(await call("promote")).toBe("error:internal");
    expect(await call("rename")).toBe("error:internal");
    expect(await call("renameAll")).toBe("error:internal");
    expect(await call("roles")).toEqual([]);
    expect(lines()).toHaveLength(stage === "a test of calls" ? 0 : 3);
  });
});

describe.each(STAGES.filter(([stage]) => stage !== "a test of calls"))("in %s", (_, callerIn) => {
  it.each(["null", "bare", "revoked", "getter"])(
    "a value that cannot be logged is answered and logged all the same: %s",
    async (what) => {
      const lines = logged("call_failed");
      const call = await callerIn();
      expect(await call("fail", what)).toBe("error:internal");
      expect(lines()).toMatchObject([{ method: "authors.fail", error: expect.any(String) }]);
      expect(await call("roles")).toEqual([]);
    },
  );
});

describe.each(STAGES.filter(([stage]) => stage !== "a test of calls"))("in %s", (_, callerIn) => {
  it("a function is no work that goes on", async () => {
    const lines = logged("wait_until_failed");
    expect(await (await callerIn())("background")).toBeNull();
    const error = expect.stringContaining("waitUntil takes a promise: call it.");
    await vi.waitFor(() => expect(lines()).toMatchObject([{ method: "background", error }]));
  });
});

it("a function is no work that goes on in a test of calls", async () => {
  const { background, invoke } = calling(AuthorHub);
  await invoke.background();
  await expect(background[0]).rejects.toThrow("waitUntil takes a promise: call it.");
});

describe.each(STAGES.filter(([stage]) => stage !== "a relay"))("in %s", (_, callerIn) => {
  it("states of users are as they were shown", async () => {
    const shown = { n: 1, at: "1970-01-01T00:00:00.000Z" };
    expect(await (await callerIn())("track", "lobby")).toEqual([shown, shown]);
  });
});

it("a state that a room elsewhere refuses is no exception of that room", async () => {
  const refused = { fault: { code: "forbidden", message: expect.any(String) } };
  expect(await roomAt("authors/group:elsewhere").track("alice", 1)).toEqual(refused);
  expect(await callsOf(await wholeHub())("track", "elsewhere")).toBe("error:forbidden");
});

it.each(["joined", "left", "disconnected", "connected"])(
  "the log names a hook that fails: %s",
  async (hook) => {
    const lines = logged("hook_failed");
    const client = closing(await enter(`authors/group:${hook}`, { user: `fails in ${hook}` }));
    if (hook !== "connected") await client.call("roles");
    client.socket.close(1000);
    await vi.waitFor(() => expect(lines()).toMatchObject([{ hub: "authors", hook }]));
  },
);

it.each([
  ["waits", "joined"],
  ["waits not", "presence"],
])("the log has a message once that a hook cannot send: the hook %s", async (user, hook) => {
  const lines = logged("hook_failed");
  closing(await enter(`authors/group:${user}`, { user }));
  await vi.waitFor(() => expect(lines()).toMatchObject([{ hub: "authors", hook }]));
  closing(await enter(`authors/group:${user}`, { user: "fails in joined" }));
  await vi.waitFor(() => expect(lines().at(-1)!["error"]).toContain("As asked."));
  expect(lines()).toHaveLength(2);
});

it("the log names a hook that fails: presenceChanged", async () => {
  const lines = logged("hook_failed");
  closing(await enter("authors/group:fails in presenceChanged"));
  const line = { hub: "authors", hook: "presenceChanged" };
  await vi.waitFor(() => expect(lines()).toMatchObject([line]));
});

it("the log has the error of a generator that was cancelled", async () => {
  const lines = logged("call_failed");
  const client = closing(await enter("authors/group:lobby"));
  client.send({ jsonrpc: "2.0", id: "s", method: "endless", params: [] });
  await client.said("$/item");
  client.send({ jsonrpc: "2.0", method: "$/cancelRequest", params: { id: "s" } });
  const line = { method: "authors.endless", error: expect.stringContaining("not closed") };
  await vi.waitFor(() => expect(lines()).toMatchObject([line]));
});
