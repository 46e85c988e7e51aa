// A page that uses the stock SignalR client as an application would. e2e/signalr/chromium.test.ts checks the results.

import { LogLevel, Subject, type HubConnection } from "@microsoft/signalr";
import { build, ROWS } from "../e2e/signalr/rows.ts";

/** The arguments from the test. */
interface Wanted {
  /** An index of ROWS, or a protocol only: then the client chooses its transport itself. */
  readonly row: number | "JSON" | "MessagePack";
  readonly endpoint: string;
  readonly token: string;
  readonly room: string;
}

async function chat(hub: HubConnection, room: string): Promise<unknown> {
  const message = new Promise((resolve) =>
    hub.on("ReceiveMessage", (...args: unknown[]) => resolve(args)),
  );
  const joined = new Promise((resolve) =>
    hub.on("UserJoined", (...args: unknown[]) => resolve(args)),
  );
  await hub.start();
  await hub.invoke("JoinRoom", room);
  await hub.invoke("SendToRoom", room, "from a page");
  return { heard: await message, joined: await joined };
}

function items(hub: HubConnection, method: string, ...args: unknown[]): Promise<unknown[]> {
  const all: unknown[] = [];
  return new Promise((resolve, reject) =>
    hub.stream(method, ...args).subscribe({
      next: (item) => void all.push(item),
      complete: () => resolve(all),
      error: reject,
    }),
  );
}

function sum(hub: HubConnection, numbers: readonly number[]): Promise<unknown> {
  const subject = new Subject<number>();
  const answer = hub.invoke("Sum", subject);
  for (const n of numbers) subject.next(n);
  subject.complete();
  return answer;
}

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "It did not fail.",
    (error: Error) => error.message,
  );

async function everything(hub: HubConnection): Promise<unknown> {
  hub.on("Confirm", async (question: string) => question === "really?");
  await hub.start();
  return {
    echo: await hub.invoke("Echo", { text: "Grüße 👋", list: [1, -2.5, null, true] }),
    items: await items(hub, "Counter", 5, 0),
    sum: await sum(hub, [1, 2, 3.5]),
    asked: [await hub.invoke("Ask", "really?"), await hub.invoke("Ask", "surely?")],
    error: await messageOf(hub.invoke("Fail", "no tea")),
    broken: await messageOf(items(hub, "Breaks", "no more tea")),
  };
}

/** Uses every feature once, then closes both connections. */
async function use({ row, endpoint, token, room }: Wanted): Promise<unknown> {
  const way = typeof row === "number" ? ROWS[row]! : { name: row, protocol: row, options: {} };
  const [one, other] = ["chat", "signalr"].map((hub) =>
    build(way, {
      url: `${endpoint}/hubs/${hub}`,
      token: () => token,
      logging: LogLevel.Warning,
    }),
  ) as [HubConnection, HubConnection];
  const result = { chat: await chat(one, room), ...((await everything(other)) as object) };
  const ended = [one, other].map(
    (hub) => new Promise((resolve) => hub.onclose((error) => resolve(error?.message ?? "quietly"))),
  );
  await Promise.all([one.stop(), other.stop()]);
  return { ...result, ended: await Promise.all(ended) };
}

Object.assign(globalThis, { use });
export type Use = typeof use;
