// Parts that the views are made of: panels, buttons, tables, figures.

import { attempt, element } from "../demo/dom.ts";

export interface Panel {
  readonly element: HTMLElement;
  /** Beside the title: a count, a state. */
  readonly note: HTMLElement;
  readonly body: HTMLElement;
  readonly error: HTMLElement;
}

let panels = 0;

/** A region with a heading; `name` is its class as well. */
export function panel(name: string, title: string, ...content: (Node | string)[]): Panel {
  const heading = element("h2", "", title);
  heading.id = `panel-${++panels}`;
  const note = element("p", "count");
  const error = element("p", "error");
  error.role = "alert";
  const body = element("div", "body", ...content);
  const made = element(
    "section",
    `card ${name}`,
    element("header", "", heading, note),
    body,
    error,
  );
  made.setAttribute("aria-labelledby", heading.id);
  return { element: made, note, body, error };
}

export function button(label: string, className: string, press: () => unknown): HTMLButtonElement {
  const made = element("button", className, label);
  made.type = "button";
  made.addEventListener("click", () => void press());
  return made;
}

/** Its error appears in `error`. A press while it runs does nothing; it keeps the focus, which a disabled button loses. */
export function action(
  label: string,
  { error, className = "" }: { readonly error: HTMLElement; readonly className?: string },
  run: () => Promise<unknown>,
): HTMLButtonElement {
  const made = button(label, className, async () => {
    if (made.ariaDisabled === "true") return;
    made.ariaDisabled = "true";
    await attempt(error, run);
    made.ariaDisabled = "false";
  });
  return made;
}

/** As `attempt`, of work that is done again and again: it takes back no error but its own. */
export function repeatable(error: HTMLElement, work: () => Promise<void>): () => Promise<void> {
  let own: string | undefined;
  return async () => {
    try {
      await work();
      if (error.textContent === own) error.textContent = "";
      own = undefined;
    } catch (cause) {
      own = describe(cause);
      error.textContent = own;
    }
  };
}

export function link(hash: string, text: string): HTMLAnchorElement {
  const made = element("a", "", text);
  made.href = hash;
  return made;
}

/** A label and its control, which must have an id. */
export function field(label: Node | string, control: HTMLElement): HTMLElement {
  const name = element("label", "", label);
  name.htmlFor = control.id;
  return element("div", "field", name, control);
}

interface InputOptions {
  readonly id: string;
  readonly value?: string;
  readonly maxLength?: number;
  readonly placeholder?: string;
}

export function input({ id, value = "", maxLength = 256, placeholder = "" }: InputOptions) {
  const made = element("input", "");
  Object.assign(made, { id, value, maxLength, placeholder, autocomplete: "off" });
  made.spellcheck = false;
  made.autocapitalize = "none";
  return made;
}

export interface Column<T> {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  cell(row: T): Node | string;
}

/** The first column names the row. On a phone each cell bears its title, and rows stand under each other. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): HTMLElement {
  const titles = columns.map(({ title, isNumber }) => {
    const made = element("th", isNumber ? "number" : "", title);
    made.scope = "col";
    return made;
  });
  const lines = rows.map((row) =>
    element("tr", "", ...columns.map((column, at) => cellOf(column, row, at))),
  );
  const head = element("thead", "", element("tr", "", ...titles));
  return element("table", "", head, element("tbody", "", ...lines));
}

function cellOf<T>({ title, isNumber, cell }: Column<T>, row: T, at: number): HTMLElement {
  const made = element(at === 0 ? "th" : "td", isNumber ? "number" : "", cell(row));
  if (made instanceof HTMLTableCellElement && at === 0) made.scope = "row";
  made.dataset["title"] = title;
  return made;
}

/**
 * New content in place of the old, unless it is the same: text that is selected stays so. The focus is on the same link
 * or button as before; where that is gone, on the body.
 */
export function refill(body: HTMLElement, ...content: readonly Node[]): void {
  const old = body.childNodes;
  if (content.length === old.length && content.every((one, at) => one.isEqualNode(old[at]!)))
    return;
  const { activeElement } = document;
  const key = body.contains(activeElement) ? keyOf(activeElement!) : undefined;
  body.replaceChildren(...content);
  if (key === undefined) return;
  body.tabIndex = -1;
  const again = [...body.querySelectorAll<HTMLElement>("a, button")];
  (again.find((one) => keyOf(one) === key) ?? body).focus({ preventScroll: true });
}

const keyOf = (one: Element): string =>
  one.getAttribute("href") ??
  `${one.closest("[data-key]")?.getAttribute("data-key")} ${one.textContent}`;

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { maximumFractionDigits: 1, notation: "compact" });

const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 1 });

export const whole = (value: number): string => WHOLE.format(value);
export const counted = (value: number, noun: string): string =>
  `${whole(value)} ${noun}${value === 1 ? "" : "s"}`;
export const short = (value: number): string => SHORT.format(value);
/** One in a minute is no zero. */
export const perSecond = (value: number): string =>
  `${(value < 0.1 ? SMALL : SHORT).format(value)}/s`;

export const milliseconds = (seconds: number): string => `${SHORT.format(seconds * 1000)} ms`;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(value: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${SHORT.format(value / 1024 ** power)} ${UNITS[power]}`;
}

const AGES = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
] as const;

/** `3 min ago`. Clocks differ: a time to come is `now`. */
export function ago(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  const [unit, length] = AGES.find(([, least]) => seconds >= least) ?? ["s", 1];
  return seconds <= 0 ? "now" : `${Math.floor(seconds / length)} ${unit} ago`;
}

export const describe = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
