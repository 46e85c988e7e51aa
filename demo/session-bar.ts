// The bar at the top of the page: user name, connection state, and the switch to go offline.

import type { HubConnection, State } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import { byId } from "./dom.ts";
import { toast } from "./toasts.ts";

interface OfflineSwitch {
  /** No further attempt gets a token. */
  isOff: boolean;
  /** Closes the open connections. */
  disconnect(): void;
}

/** Returns the function that updates the countdown to the next attempt. */
export function sessionBar(
  demo: HubConnection<DemoHub>,
  userId: string,
  offline: OfflineSwitch,
): (now: number) => void {
  byId("me").textContent = userId;
  byId("session").hidden = false;
  offlineButton(offline);
  byId("leave").addEventListener("click", () => location.reload());
  demo.onState(show);
  show(demo.state);
  return (now) => {
    byId("countdown").textContent = countdown(demo.state, now);
  };
}

function show(state: State): void {
  byId("state").dataset["state"] = state.status;
  byId("state-text").textContent = state.status;
  if (state.status === "closed" && state.error)
    toast({ title: "The connection has ended", text: state.error.message, tone: "bad" });
}

function offlineButton(offline: OfflineSwitch): void {
  const button = byId("offline");
  button.addEventListener("click", () => {
    offline.isOff = !offline.isOff;
    button.textContent = offline.isOff ? "Come back" : "Go offline";
    if (offline.isOff) offline.disconnect();
    // The client makes its next attempt at once, as it does when the network is back.
    else globalThis.dispatchEvent(new Event("online"));
  });
}

function countdown(state: State, now: number): string {
  if (state.status !== "reconnecting") return "";
  const seconds = Math.ceil((state.retryAt - now) / 1000);
  return seconds > 0 ? ` in ${seconds} s` : " now";
}
