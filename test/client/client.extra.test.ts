// The client against the real worker and its objects, inside workerd: calls from the hub that expect a result, streams
// in both directions, and objects that are aborted or evicted during a connection.

import { abortAllDurableObjects, evictAllDurableObjects } from "cloudflare:test";
import { describe, expect, it, onTestFinished } from "vitest";
import * as z from "zod";
import { connect, type Connection, type ConnectOptions } from "../../src/client/index.ts";
import {
  hub,
  method,
  stream,
  streamOf,
  type AnyHub,
} from "../../src/dispatch/define/hub-definition.ts";
import { token } from "../rooms/client.ts";
import { WorkerSocket } from "./worker-socket.ts";

interface AskClient {
  confirm(question: string): Promise<boolean>;
  told(text: string): void;
}
interface SaidClient {
  said(text: string): void;
}

/** The types of the hubs in test/support/hubs.ts, reduced to the methods that are called here. */
const AskHub = hub<AskClient>("ask", { answers: { confirm: z.boolean() } }).methods({
  askMe: method([z.string()], async (): Promise<boolean> => true),
  echo: method([z.unknown()], (_context, value) => value),
});
const StreamHub = hub("streams").methods({
  sumBoth: method([streamOf(z.number()), streamOf(z.number())], (): number[] => []),
  first: method([streamOf(z.number())], (): number | null => null),
  breaks: stream([z.string()], async function* () {
    yield 1;
  }),
  doubled: stream([streamOf(z.number())], async function* () {
    yield 1;
  }),
});
const PlainHub = hub<SaidClient>("plain").methods({
  sayGroups: method([z.array(z.string()), z.string()], () => {}),
  join: method([z.string()], () => {}),
});

async function connectTo<H extends AnyHub>(
  { name }: H,
  room: string,
  options: Partial<ConnectOptions<H>> = {},
): Promise<Connection<H>> {
  const connection = connect<H>(`wss://edge.example/hubs/${name}`, {
    room: `group:${room}`,
    token: () => token("alice"),
    WebSocket: WorkerSocket,
    backoff: { baseMs: 10, capMs: 100 },
    ...options,
  } as ConnectOptions<H>);
  onTestFinished(() => connection.close());
  await connection.ready;
  return connection;
}

async function* numbers(...all: number[]) {
  yield* all;
}

describe("a hub that asks", () => {
  it("gets the handler's answer", async () => {
    const questions: string[] = [];
    const { invoke } = await connectTo(AskHub, "asking", {
      handlers: { confirm: (question) => questions.push(question) === 1 },
    });
    expect(await invoke.askMe("sure?")).toBe(true);
    expect(await invoke.askMe("still?")).toBe(false);
    expect(questions).toEqual(["sure?", "still?"]);
  });

  it("hears that the handler failed, and that there is none", async () => {
    const failing = await connectTo(AskHub, "failing", {
      handlers: { confirm: () => Promise.reject(new Error("Nobody is here.")) },
    });
    await expect(failing.invoke.askMe("?")).rejects.toMatchObject({
      code: "client_error",
      message: "Nobody is here.",
    });
    const silent = await connectTo(AskHub, "silent");
    await expect(silent.invoke.askMe("?")).rejects.toMatchObject({ code: "client_error" });
  });
});

describe("values", () => {
  it.each([[null], [0], [""], ["\u2028 é 🐭"], [[1, [2]]], [{ $stream: 1 }]])(
    "such as %j come back as they went",
    async (value) => {
      const { invoke } = await connectTo(AskHub, "values");
      expect(await invoke.echo(value)).toEqual(value);
    },
  );
});

describe("streams", () => {
  it("go up, two at once", async () => {
    const { invoke } = await connectTo(StreamHub, "up");
    expect(await invoke.sumBoth(numbers(1, 2), numbers(3, 4))).toEqual([3, 7]);
  });

  it("go up and come down at once", async () => {
    const client = await connectTo(StreamHub, "both");
    const doubled: unknown[] = [];
    for await (const n of client.stream.doubled(numbers(1, 2, 3))) doubled.push(n);
    expect(doubled).toEqual([2, 4, 6]);
  });

  it("tell the error that ended them, after their items", async () => {
    const client = await connectTo(StreamHub, "breaks");
    const items: unknown[] = [];
    const reading = (async () => {
      for await (const n of client.stream.breaks("busy")) items.push(n);
    })();
    await expect(reading).rejects.toMatchObject({ code: "busy" });
    expect(items).toEqual([1]);
  });

  it("are read no further than the hub reads them", async () => {
    const { invoke } = await connectTo(StreamHub, "first");
    const stopped = Promise.withResolvers<void>();
    async function* endless() {
      try {
        for (let n = 1; ; n += 1) {
          yield n;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        stopped.resolve();
      }
    }
    expect(await invoke.first(endless())).toBe(1);
    await stopped.promise;
  });
});

describe("a room whose object ends", () => {
  it("is come back to, with all that was said and a call repeated under its key", async () => {
    const received: string[] = [];
    const alice = await connectTo(PlainHub, "den", {
      handlers: { said: (text) => received.push(text) },
    });
    const bob = await connectTo(PlainHub, "den", { token: () => token("bob") });
    const recovered = new Promise((resolve) => alice.onRecovered(resolve));
    await bob.invoke.sayGroups(["den"], "one");
    const again = bob.with({ idempotencyKey: "k" }).invoke.sayGroups(["den"], "two");
    await abortAllDurableObjects();
    await again;
    await recovered;
    await bob.invoke.sayGroups(["den"], "three");
    const third = new Promise<void>((resolve) => {
      const look = () => void (received.includes("three") && resolve());
      alice.onMessage(look);
      look();
    });
    await third;
    expect(received).toEqual(["one", "two", "three"]);
  });

  it("is joined anew by who joins when it is connected", async () => {
    const received: (string | undefined)[] = [];
    const alice = await connectTo(PlainHub, "home");
    alice.onMessage(({ method: name, room }) => name === "said" && received.push(room));
    const rejoin = () =>
      new Promise<void>((resolve) => {
        const off = alice.onConnected(async () => {
          off();
          await alice.invoke.join("elsewhere");
          resolve();
        });
      });
    await alice.invoke.join("elsewhere");
    const again = rejoin();
    await abortAllDurableObjects();
    await again;
    const bob = await connectTo(PlainHub, "elsewhere", { token: () => token("bob") });
    const message = new Promise((resolve) => alice.on("said", resolve));
    await bob.invoke.sayGroups(["elsewhere"], "hi");
    await message;
    expect(received).toEqual(["group:elsewhere"]);
  });

  it("sleeps and wakes without being noticed", async () => {
    const alice = await connectTo(PlainHub, "sleepy");
    const states: string[] = [];
    alice.onState(({ status }) => states.push(status));
    const received = new Promise((resolve) => alice.on("said", resolve));
    await evictAllDurableObjects();
    await alice.invoke.sayGroups(["sleepy"], "awake");
    expect(await received).toBe("awake");
    expect(states).toEqual([]);
  });
});

describe("a whole hub", () => {
  it("has its rooms on one socket, and is back in them after a crash", async () => {
    const whole = connect<typeof PlainHub>("wss://edge.example/hubs/plain", {
      token: () => token("alice"),
      WebSocket: WorkerSocket,
      backoff: { baseMs: 10, capMs: 100 },
    });
    onTestFinished(() => whole.close());
    const received: string[] = [];
    whole.onMessage((message) => {
      if (message.method === "said") received.push(`${message.room} ${String(message.params[0])}`);
    });
    const back: string[] = [];
    whole.onRecovered(({ room }) => back.push(room));
    await Promise.all(["whole1", "whole2"].map((name) => whole.join(`group:${name}`)));
    await whole.invoke.sayGroups(["whole1", "whole2"], "one");
    await expect.poll(() => received.length).toBe(2);
    await abortAllDurableObjects();
    await expect.poll(() => back.length).toBe(2);
    await whole.invoke.sayGroups(["whole1", "whole2"], "two");
    await expect
      .poll(() => received.toSorted())
      .toEqual(
        ["one", "two"]
          .flatMap((text) => [`group:whole1 ${text}`, `group:whole2 ${text}`])
          .toSorted(),
      );
    expect((await whole.history("group:whole1")).messages).toHaveLength(2);
    expect((await whole.presencePage("group:whole2")).users).toBe(1);
    await expect(whole.join("user:bob")).rejects.toMatchObject({ code: "forbidden" });
  });
});
