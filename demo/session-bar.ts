// Who we are and how the line stands, at the top of the page; and the switch to go offline.

import type { Connection, State } from "../src/client/index.ts";
import type { ChatHub } from "../src/hubs/chat.ts";
import { byId } from "./dom.ts";
import { toast } from "./toasts.ts";

export interface Switch {
  isOff: boolean;
  /** Cuts what is open. */
  cut(): void;
}

/** Returns what brings the countdown up to date. */
export function sessionBar(
  chat: Connection<ChatHub>,
  me: string,
  line: Switch,
): (now: number) => void {
  byId("me").textContent = me;
  byId("session").hidden = false;
  offlineSwitch(line);
  byId("leave").addEventListener("click", () => location.reload());
  chat.onState(show);
  show(chat.state);
  return (now) => {
    byId("countdown").textContent = countdown(chat.state, now);
  };
}

function show(state: State): void {
  byId("state").dataset["state"] = state.status;
  byId("state-text").textContent = state.status;
  if (state.status === "closed" && state.error)
    toast({ title: "The connection has ended", text: state.error.message, tone: "bad" });
}

function offlineSwitch(line: Switch): void {
  const button = byId("offline");
  button.addEventListener("click", () => {
    line.isOff = !line.isOff;
    button.ariaPressed = String(line.isOff);
    button.textContent = line.isOff ? "Come back" : "Go offline";
    if (line.isOff) line.cut();
    // The client takes this for a network that is back, and waits no longer.
    else globalThis.dispatchEvent(new Event("online"));
  });
}

function countdown(state: State, now: number): string {
  if (state.status !== "reconnecting") return "";
  const seconds = Math.ceil((state.retryAt - now) / 1000);
  return seconds > 0 ? ` in ${seconds} s` : " now";
}
