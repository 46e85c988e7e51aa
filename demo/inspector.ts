// The inspector: the latest frames as they were on the wire. It always records, and renders only while it is open.

import { byId, element } from "./dom.ts";
import type { Frame } from "./traffic.ts";

const MAX_FRAMES = 100;
const MAX_CHARACTERS = 1_500;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });

/** Returns the function that records a frame. */
export function inspector(): (frame: Frame) => void {
  const panel = byId("inspector", HTMLDetailsElement);
  const showHeartbeats = byId("beats", HTMLInputElement);
  const pause = byId("hold", HTMLButtonElement);
  let frames: Frame[] = [];
  let isScheduled = false;

  const render = (): void => {
    isScheduled = false;
    const visible = frames.filter(({ isHeartbeat }) => showHeartbeats.checked || !isHeartbeat);
    byId("frames").replaceChildren(...visible.map(rowOf));
  };
  /** At most once per animation frame. */
  const scheduleRender = (): void => {
    if (!panel.open || pause.ariaPressed === "true" || isScheduled) return;
    isScheduled = true;
    requestAnimationFrame(render);
  };
  panel.addEventListener("toggle", scheduleRender);
  showHeartbeats.addEventListener("change", render);
  pause.addEventListener("click", () => {
    pause.ariaPressed = String(pause.ariaPressed !== "true");
    scheduleRender();
  });
  byId("clear").addEventListener("click", () => {
    frames = [];
    render();
  });
  return (frame) => {
    frames = [frame, ...frames.slice(0, MAX_FRAMES - 1)];
    scheduleRender();
  };
}

function rowOf({ at, object, direction, text, isHeartbeat }: Frame): HTMLElement {
  const arrow = element("span", direction, direction === "in" ? "↓" : "↑");
  arrow.role = "img";
  arrow.ariaLabel = direction === "in" ? "received" : "sent";
  const content = isHeartbeat ? '{"type":6}␞ (heartbeat)' : truncate(text);
  return element(
    "li",
    "",
    arrow,
    element("span", "of", `${object} ${CLOCK.format(at)}`),
    element("code", "", content),
  );
}

const truncate = (text: string): string =>
  text.length > MAX_CHARACTERS
    ? `${text.slice(0, MAX_CHARACTERS)}… (${text.length} characters)`
    : text;
