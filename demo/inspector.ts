// The last frames, as they were on the wire. They are kept while it is closed, and drawn while it is open.

import { byId, element } from "./dom.ts";
import type { Frame } from "./line.ts";

const KEPT = 100;
const SHOWN_CHARACTERS = 1_500;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hour12: false });

/** Returns what takes a frame. */
export function inspector(): (frame: Frame) => void {
  const panel = byId("inspector", HTMLDetailsElement);
  const beats = byId("beats", HTMLInputElement);
  const hold = byId("hold", HTMLButtonElement);
  let frames: Frame[] = [];
  let isDue = false;

  const draw = (): void => {
    isDue = false;
    const shown = frames.filter(({ isBeat }) => beats.checked || !isBeat);
    byId("frames").replaceChildren(...shown.map(rowOf));
  };
  const drawSoon = (): void => {
    if (!panel.open || hold.ariaPressed === "true" || isDue) return;
    isDue = true;
    requestAnimationFrame(draw);
  };
  panel.addEventListener("toggle", drawSoon);
  beats.addEventListener("change", draw);
  hold.addEventListener("click", () => {
    hold.ariaPressed = String(hold.ariaPressed !== "true");
    drawSoon();
  });
  byId("clear").addEventListener("click", () => {
    frames = [];
    draw();
  });
  return (frame) => {
    frames = [frame, ...frames.slice(0, KEPT - 1)];
    drawSoon();
  };
}

function rowOf({ at, hub, direction, text, isBeat }: Frame): HTMLElement {
  const arrow = element("span", direction, direction === "in" ? "↓" : "↑");
  arrow.role = "img";
  arrow.ariaLabel = direction === "in" ? "received" : "sent";
  const shown = isBeat ? '{"type":6}␞ (heartbeat)' : shortened(text);
  return element(
    "li",
    "",
    arrow,
    element("span", "of", `${hub} ${CLOCK.format(at)}`),
    element("code", "", shown),
  );
}

const shortened = (text: string): string =>
  text.length > SHOWN_CHARACTERS
    ? `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`
    : text;
