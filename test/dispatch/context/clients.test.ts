// Whom hub code reaches, by the words it uses.

import { describe, expect, it } from "vitest";
import { callerClientsOf, clientsOf } from "../../../src/dispatch/context/call-context.ts";
import type { Messenger } from "../../../src/dispatch/context/messenger.ts";
import { formatTopic } from "../../../src/model/topic.ts";

interface Client {
  said(text: string): void;
  confirm(question: string): Promise<boolean>;
}

/** Writes down who was told, asked or published to: `all says said("x") without c1`. */
function messenger() {
  const heard: string[] = [];
  const call = (target: string, args: readonly unknown[]) => `${target}(${JSON.stringify(args)})`;
  const recorder: Messenger = {
    publish: async (topic, { target, args, except }) => {
      const without = except.length > 0 ? ` without ${except.join()}` : "";
      heard.push(`${formatTopic(topic)} ${call(target, args)}${without}`);
    },
    tell: async (id, target, args) => void heard.push(`tell ${id} ${call(target, args)}`),
    ask: async (id, target, args) => {
      heard.push(`ask ${id} ${call(target, args)}`);
      return true;
    },
    answers: (target) => target === "confirm",
  };
  return { heard, recorder };
}

function callerClients() {
  const { heard, recorder } = messenger();
  return { heard, clients: callerClientsOf<Client>(recorder, "me") };
}

describe("audiences", () => {
  it.each([
    ["all", (c: ReturnType<typeof callerClients>["clients"]) => c.all, ["all"]],
    ["a group", (c) => c.group("lobby"), ["group:lobby"]],
    ["an order", (c) => c.order("42"), ["order:42"]],
    ["a user", (c) => c.user("bob"), ["user:bob"]],
    ["several groups at once", (c) => c.group("a", "b"), ["group:a", "group:b"]],
    ["several users at once", (c) => c.user("a", "b"), ["user:a", "user:b"]],
    ["a group named twice, once", (c) => c.group("a", "a"), ["group:a"]],
    ["one name in two normal forms, once", (c) => c.group("é", "e\u0301"), ["group:é"]],
    ["no group", (c) => c.group(), []],
  ] satisfies [string, (c: ReturnType<typeof callerClients>["clients"]) => unknown, string[]][])(
    "reach %s",
    async (_, audience, topics) => {
      const { clients, heard } = callerClients();
      await (audience(clients) as { said(text: string): Promise<void> }).said("x");
      expect(heard).toEqual(topics.map((topic) => `${topic} said(["x"])`));
    },
  );

  it("refuse a name that no room can have", () => {
    const { clients } = callerClients();
    expect(() => clients.group("")).toThrow(expect.objectContaining({ code: "invalid_name" }));
    expect(() => clients.user("a\u0000")).toThrow(
      expect.objectContaining({ code: "invalid_name" }),
    );
    expect(() => clients.othersIn("x".repeat(129))).toThrow(
      expect.objectContaining({ code: "invalid_name" }),
    );
  });

  it("keep a name with a colon in its own room", async () => {
    const { clients, heard } = callerClients();
    await clients.group("user:bob").said("x");
    expect(heard).toEqual(['group:user:bob said(["x"])']);
  });

  it("pass on that a room failed", async () => {
    const { recorder } = messenger();
    const failing = { ...recorder, publish: () => Promise.reject(new Error("gone")) };
    await expect(clientsOf<Client>(failing).group("a", "b").said("x")).rejects.toThrow("gone");
  });
});

describe("exceptions", () => {
  it("leave the named connections out", async () => {
    const { clients, heard } = callerClients();
    await clients.except("c1", "c2").group("lobby").said("x");
    expect(heard).toEqual(['group:lobby said(["x"]) without c1,c2']);
  });

  it("add up", async () => {
    const { clients, heard } = callerClients();
    await clients.except("c1").except("c2").all.said("x");
    expect(heard).toEqual(['all said(["x"]) without c1,c2']);
  });

  it("leave the audiences they were made from as they are", async () => {
    const { clients, heard } = callerClients();
    clients.except("c1");
    await clients.all.said("x");
    expect(heard).toEqual(['all said(["x"])']);
  });

  it("are the caller, for others and for others in a group", async () => {
    const { clients, heard } = callerClients();
    await clients.others.said("x");
    await clients.othersIn("lobby").said("y");
    expect(heard).toEqual(['all said(["x"]) without me', 'group:lobby said(["y"]) without me']);
  });
});

describe("one client", () => {
  it("is told what it does not answer", async () => {
    const { clients, heard } = callerClients();
    await clients.caller.said("x");
    await clients.connection("c2").said("y");
    expect(heard).toEqual(['tell me said(["x"])', 'tell c2 said(["y"])']);
  });

  it("is asked what the hub declares an answer for", async () => {
    const { clients, heard } = callerClients();
    expect(await clients.caller.confirm("sure?")).toBe(true);
    expect(heard).toEqual(['ask me confirm(["sure?"])']);
  });

  it("is not waited for where many are asked", async () => {
    const { clients, heard } = callerClients();
    expect(await clients.all.confirm("sure?")).toBeUndefined();
    expect(heard).toEqual(['all confirm(["sure?"])']);
  });
});

describe("an audience", () => {
  it("comes out of an await as itself", async () => {
    const { clients, heard } = callerClients();
    const all = await (clients.all as unknown as Promise<typeof clients.all>);
    await all.said("x");
    expect(heard).toEqual(['all said(["x"])']);
  });

  it("has no method of a symbol's name", () => {
    const { clients } = callerClients();
    expect(Reflect.get(clients.all, Symbol.iterator)).toBeUndefined();
  });
});
