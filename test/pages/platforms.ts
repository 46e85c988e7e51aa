// One script as a page, as a worker and as a service worker: each tries the client where it runs.

import { tryClient, type Task, type Tried } from "./try-client.ts";

/** The types of the engine's own globals, which the hub's types bring along, have no workers. */
interface Receiver {
  postMessage(message: unknown, transfer: readonly unknown[]): void;
}
interface Port {
  addEventListener(type: "message", run: (event: { readonly data: Tried }) => void): void;
  start(): void;
  postMessage(message: Tried): void;
}
interface TaskEvent {
  readonly data: Task;
  readonly ports: readonly [Port];
}
interface Registration {
  readonly active: Receiver;
}
declare const MessageChannel: new () => { readonly port1: Port; readonly port2: Port };
declare const Worker: new (url: string, options: object) => Receiver;
declare const navigator: {
  readonly serviceWorker: {
    readonly ready: Promise<Registration>;
    register(url: string, options: object): Promise<Registration>;
  };
};
declare function addEventListener(type: "message", run: (event: TaskEvent) => void): void;

type Place = "page" | "worker" | "service worker";
const OPTIONS = { type: "module" };

/** In the page: where the task runs. */
async function tryIn(place: Place, task: Task): Promise<Tried> {
  if (place === "page") return tryClient(task);
  const { port1, port2 } = new MessageChannel();
  const tried = new Promise<Tried>((resolve) => {
    port1.addEventListener("message", ({ data }) => resolve(data));
    port1.start();
  });
  const receiver =
    place === "worker" ? new Worker("/page.js", OPTIONS) : await startServiceWorker();
  receiver.postMessage(task, [port2]);
  return tried;
}

async function startServiceWorker(): Promise<Receiver> {
  await navigator.serviceWorker.register("/page.js", OPTIONS);
  return (await navigator.serviceWorker.ready).active;
}

export interface Page {
  readonly tryIn: typeof tryIn;
}
if ("document" in globalThis) Object.assign(globalThis, { tryIn } satisfies Page);
else
  addEventListener("message", ({ data, ports: [port] }) => {
    void tryClient(data).then((tried) => port.postMessage(tried));
  });
