// The same room by other protocols, beside the page's own socket: the stock SignalR client, and an event stream.
// Neither begins before it is wished: a page costs one socket.

import { events, type Token } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import { attempt, byId, element } from "./dom.ts";
import type * as SignalR from "./signalr.ts";

const MAX_LINES = 3;

export function readersPanel(room: string, token: Token): void {
  const fetchToken = async () => (typeof token === "string" ? token : token());
  reader("signalr", (show) => readSignalR(room, fetchToken, show));
  reader("sse", (show) => readEvents(room, fetchToken, show));
}

type Show = (from: string, text: string) => void;
type Stop = () => unknown;

/** A button that begins and ends reading, and the last lines that were read. */
function reader(id: string, begin: (show: Show) => Promise<Stop>): void {
  const toggle = byId(`${id}-toggle`, HTMLButtonElement);
  const list = byId(`${id}-lines`);
  const show: Show = (from, text) => {
    list.prepend(element("li", "", element("b", "", from), ` ${text}`));
    while (list.childElementCount > MAX_LINES) list.lastElementChild?.remove();
  };
  let stop: Stop | undefined;
  toggle.addEventListener("click", () => {
    if (toggle.ariaDisabled === "true") return;
    toggle.ariaDisabled = "true";
    void attempt(byId("readers-error"), async () => {
      if (stop) stop = void (await stop());
      else stop = await begin(show);
    }).finally(() => {
      toggle.textContent = stop ? "Disconnect" : "Connect";
      toggle.ariaDisabled = "false";
    });
  });
}

// #region page
async function readSignalR(room: string, token: () => Promise<string>, show: Show): Promise<Stop> {
  const { HubConnectionBuilder, LogLevel } = await signalR();
  const connection = new HubConnectionBuilder()
    .withUrl("/hubs/demo", { accessTokenFactory: token })
    .withAutomaticReconnect()
    .configureLogging(LogLevel.None)
    .build();
  connection.on("ReceiveMessage", show);
  await connection.start();
  await connection.invoke("JoinRoom", room);
  return () => connection.stop();
}

async function readEvents(room: string, token: () => Promise<string>, show: Show): Promise<Stop> {
  const reading = new AbortController();
  const { promise: begun, resolve, reject } = Promise.withResolvers<void>();
  const read = async () => {
    const options = { room: `group:${room}`, token, signal: reading.signal } as const;
    for await (const event of events<DemoHub>("/hubs/demo", options)) {
      if (event.type === "connected") resolve();
      if (event.method === "receiveMessage") show(...event.params);
    }
  };
  read().catch(reject);
  await begun;
  return () => reading.abort();
}
// #endregion

/** A file of its own, so that a page without SignalR does not load its client. */
const signalR = (): Promise<typeof SignalR> =>
  import(new URL("/demo-signalr.js", location.href).href);
