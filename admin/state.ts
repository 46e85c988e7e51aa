// The state of a room, where its hub keeps one and the endpoint shows it to services. Without it there is no panel.

import { element } from "../demo/dom.ts";
import { every } from "./every.ts";
import type { RoomInfo } from "./facts.ts";
import { describe, panel } from "./parts.ts";
import { roomPath } from "./place.ts";
import type { OneRoom } from "./room-view.ts";
import type { Admin } from "./view.ts";

interface StateAnswer {
  readonly state?: unknown;
}

const EVERY_MS = 5_000;

export function statePanel({ api, signal }: Admin, one: OneRoom): HTMLElement {
  const shown = panel("state", "State");
  shown.element.hidden = true;
  const text = element("pre", "");
  Object.assign(text, { tabIndex: 0, ariaLabel: "State as JSON", role: "region" });
  shown.body.append(text);
  const path = roomPath(one.hub, one.room);
  /** Unknown until the room was asked. */
  let isKept: boolean | undefined;
  const load = async (): Promise<void> => {
    if (isKept === false) return;
    try {
      isKept ??= (await api.get<RoomInfo>(path)).has_state;
      if (!isKept) return;
      const { state } = await api.get<StateAnswer>(`${path}/state`);
      shown.element.hidden = state === undefined;
      const json = JSON.stringify(state, null, 2) ?? "";
      // Written again, it would lose its scroll position, and what is selected.
      if (text.textContent !== json) text.textContent = json;
      shown.error.textContent = "";
    } catch (error) {
      // Seen where a state is shown, which is then an old one.
      shown.error.textContent = describe(error);
    }
  };
  every(EVERY_MS, signal, load);
  return shown.element;
}
