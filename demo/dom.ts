// Finds and creates elements of the page. Strings become text nodes and never markup, so content from other users
// cannot inject HTML.

type Kind<E extends Element> = abstract new () => E;

/** Throws if the page has no such element, or one of another kind. */
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
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.append(...children);
  return created;
}

/** For a request without an answer, of which each browser has words of its own. */
export const UNREACHED = "The server cannot be reached.";

/** The storage of this tab; undefined where the browser allows none. */
export function tabStorage(): Storage | undefined {
  try {
    return sessionStorage;
  } catch {
    return undefined;
  }
}

/** A sentence with names in it: the direction of a name does not reach the words around it. */
export function sentence(words: readonly string[], ...names: readonly string[]): DocumentFragment {
  const made = document.createDocumentFragment();
  for (const [at, text] of words.entries())
    made.append(text, ...(at < names.length ? [element("bdi", "", names[at]!)] : []));
  return made;
}

/** Runs `handle` when the form is submitted, by button or by key. Its error appears in the element `error`. */
export function onSubmit(form: HTMLFormElement, error: HTMLElement, handle: () => unknown): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(error, handle);
  });
}

/** Runs `action`, which may be async, and shows its error in the element `error`. Never rejects. */
export async function attempt(error: HTMLElement, action: () => unknown): Promise<void> {
  error.textContent = "";
  try {
    await action();
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

/** The number of colours in the style sheet. */
const COLOURS = 6;

/** FNV-1a, without its low bits, which depend too little on the first characters. */
const hashOf = (text: string): number =>
  [...text].reduce(
    (hash, letter) => Math.imul(hash ^ letter.codePointAt(0)!, 16_777_619) >>> 0,
    2_166_136_261,
  ) >>> 7;

/** The first letter of a user's name, in a colour derived from the name, so that it is the same in every window. */
export function faceOf(user: string): HTMLSpanElement {
  const face = element("span", "face-of", [...user][0]?.toUpperCase() ?? "");
  face.dataset["coat"] = String(hashOf(user) % COLOURS);
  face.ariaHidden = "true";
  return face;
}
