// The page's elements, found and made. Text becomes text and never markup: whatever others say is shown as they said it.

type Kind<E extends Element> = abstract new () => E;

/** Throws where the page and its code do not fit together. */
export function byId<E extends Element = HTMLElement>(id: string, kind?: Kind<E>): E {
  const found = document.getElementById(id);
  if (!found || (kind && !(found instanceof kind))) throw new Error(`The page has no #${id}.`);
  return found as Element as E;
}

export function within<E extends Element = HTMLElement>(parent: ParentNode, selector: string): E {
  const found = parent.querySelector<E>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A form sent by whoever, by whatever key: `handle` gets on with it, and its failure is shown beside the form. */
export function onSubmit(form: HTMLFormElement, error: HTMLElement, handle: () => unknown): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(error, handle);
  });
}

export async function attempt(error: HTMLElement, act: () => unknown): Promise<void> {
  error.textContent = "";
  try {
    await act();
  } catch (cause) {
    error.textContent = cause instanceof Error ? cause.message : String(cause);
  }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

export function timeOf(at: number): HTMLTimeElement {
  const time = element("time", "", CLOCK.format(at));
  time.dateTime = new Date(at).toISOString();
  return time;
}

const COATS = 6;

/** FNV-1a. Its low bits know little of the beginning. */
const hashOf = (text: string): number =>
  [...text].reduce(
    (hash, letter) => Math.imul(hash ^ letter.codePointAt(0)!, 16_777_619) >>> 0,
    2_166_136_261,
  ) >>> 7;

/** A user's first letter, in a colour which is the same in every window. */
export function faceOf(user: string): HTMLSpanElement {
  const face = element("span", "face-of", [...user][0]?.toUpperCase() ?? "");
  face.dataset["coat"] = String(hashOf(user) % COATS);
  face.ariaHidden = "true";
  return face;
}
