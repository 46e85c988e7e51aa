// Small charts of the last minutes: a figure, and its line.

import { element } from "../demo/dom.ts";

const [WIDTH, HEIGHT] = [160, 40];
const SVG = "http://www.w3.org/2000/svg";

export interface Chart {
  readonly element: HTMLElement;
  /** Oldest first. */
  show(values: readonly number[]): void;
}

export function chart(title: string, format: (value: number) => string): Chart {
  const value = element("b", "", "–");
  const peak = element("span", "peak");
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none" });
  const [area, line] = [shape("path", { class: "area" }), shape("path", { class: "stroke" })];
  svg.append(area, line);
  svg.role = "img";
  const caption = element("figcaption", "", element("span", "", title), value);
  const show = (values: readonly number[]): void => {
    const [last, highest] = [values.at(-1), Math.max(...values, 0)];
    value.textContent = last === undefined ? "–" : format(last);
    peak.textContent = last === undefined ? "" : `peak ${format(highest)}`;
    svg.ariaLabel = `${title}: ${last === undefined ? "no figures yet" : `${format(last)} now, ${peak.textContent}`}`;
    const path = pathOf(values, highest);
    line.setAttribute("d", path);
    area.setAttribute("d", path && `${path}V${HEIGHT}H0Z`);
  };
  // It has a name before it has figures.
  show([]);
  return { element: element("figure", "chart", caption, svg, peak), show };
}

function shape(name: string, attributes: Readonly<Record<string, string>>): SVGElement {
  const made = document.createElementNS(SVG, name) as SVGElement;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** From zero up to the highest value. One value is a level line. */
function pathOf(values: readonly number[], highest: number): string {
  if (values.length === 0) return "";
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) => {
    const y = HEIGHT - 2 - (value / (highest || 1)) * (HEIGHT - 6);
    return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return points.length === 1 ? `M${points[0]}H${WIDTH}` : `M${points.join("L")}`;
}
