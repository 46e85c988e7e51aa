// The price panel: a chart of a server stream. Streams are not resumed, so a new one starts after a lost connection.

import type { HubConnection } from "../src/client/index.ts";
import type { DemoHub } from "../src/hubs/demo.ts";
import type { Price } from "../src/hubs/prices.ts";
import { byId } from "./dom.ts";

const POINTS = 60;
const [WIDTH, HEIGHT, MARGIN] = [300, 90, 6];

export function pricePanel(demo: HubConnection<DemoHub>): void {
  const symbol = byId("symbol", HTMLSelectElement);
  const toggle = byId("price-toggle", HTMLButtonElement);
  let values: number[] = [];
  let stream = new AbortController();

  // #region page
  const start = (): void => {
    stream.abort();
    stream = new AbortController();
    if (toggle.ariaPressed === "true" || demo.state.status !== "connected") return;
    const calls = demo.with({ signal: stream.signal });
    void readPrices(calls.stream.streamPrices(symbol.value), ({ price }) => {
      values = [...values, price].slice(-POINTS);
      draw(values);
    });
  };
  // #endregion
  const restart = (): void => {
    values = [];
    // The chart is another symbol's: a pause would leave it there.
    toggle.ariaPressed = "false";
    start();
  };
  symbol.addEventListener("change", restart);
  toggle.addEventListener("click", () => {
    toggle.ariaPressed = String(toggle.ariaPressed !== "true");
    start();
  });
  demo.onConnected(start);
  start();
}

async function readPrices(
  prices: AsyncIterable<Price>,
  show: (price: Price) => void,
): Promise<void> {
  try {
    for await (const price of prices) show(price);
  } catch {
    // Cancelled by the user, or ended with its connection, whose successor starts another stream.
  }
}

const MONEY = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

const SIGNS = { up: "▲ +", flat: "± ", down: "▼ −" } as const;

function draw(values: readonly number[]): void {
  const [first = 0, last = 0] = [values[0], values.at(-1)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const change = ((last - first) / first) * 100;
  const trend = change === 0 ? "flat" : change < 0 ? "down" : "up";
  byId("price").textContent = MONEY.format(last);
  byId("change").dataset["trend"] = trend;
  byId("change").textContent = `${SIGNS[trend]}${Math.abs(change).toFixed(2)} %`;
  byId("price-low").textContent = `low ${MONEY.format(low)}`;
  byId("price-high").textContent = `high ${MONEY.format(high)}`;
  const line = pathOf(values, low, high);
  byId<SVGPathElement>("chart-line").setAttribute("d", line);
  byId<SVGPathElement>("chart-area").setAttribute("d", `${line}V${HEIGHT}H0Z`);
}

/** An SVG path over the whole width of the chart, for any number of values. Equal values give a line in the middle. */
function pathOf(values: readonly number[], low: number, high: number): string {
  const step = WIDTH / Math.max(values.length - 1, 1);
  const scale = (HEIGHT - 2 * MARGIN) / (high - low || 1);
  const points = values.map((value, index) => {
    const y = high === low ? HEIGHT / 2 : HEIGHT - MARGIN - (value - low) * scale;
    return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return points.length === 1 ? `M0,${HEIGHT / 2}H${WIDTH}` : `M${points.join("L")}`;
}
