// The form for the token. It is kept in memory; in session storage, which ends with the tab, only where that is wished.

import { attempt, byId, tabStorage } from "../demo/dom.ts";

const STORAGE_KEY = "dormouse-admin-token";
/** For the page that is loaded next, and only for that. */
const ENDED_KEY = "dormouse-admin-ended";

/** `enter` opens the page. Where it rejects, the form shows why. A token that this tab keeps is tried at once. */
export function signInForm(enter: (token: string) => Promise<void>): void {
  const form = byId("sign-in", HTMLFormElement);
  const field = byId("token", HTMLTextAreaElement);
  const submit = byId("enter", HTMLButtonElement);
  const error = byId("door-error");
  const tryToken = async (token: string): Promise<void> => {
    submit.disabled = true;
    await attempt(error, () => enter(token));
    submit.disabled = false;
    if (error.textContent) field.focus();
    else field.value = "";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = field.value.trim();
    const fault = faultOf(token);
    if (fault !== undefined) {
      error.textContent = fault;
      return field.focus();
    }
    if (byId("keep", HTMLInputElement).checked) tabStorage()?.setItem(STORAGE_KEY, token);
    else forgetToken();
    void tryToken(token);
  });
  if (tabStorage()?.getItem(ENDED_KEY))
    error.textContent = "The token has ended, or was taken back.";
  tabStorage()?.removeItem(ENDED_KEY);
  const kept = tabStorage()?.getItem(STORAGE_KEY);
  if (!kept) return field.focus();
  byId("keep", HTMLInputElement).checked = true;
  void tryToken(kept);
}

/** Of what cannot be sent as a token at all. */
function faultOf(token: string): string | undefined {
  if (token === "") return "Paste a token first.";
  if (/^[\w.~+/=-]+$/.test(token)) return undefined;
  return "This is no token: one has letters, digits, dots and dashes alone.";
}

export const noteEnd = (): void => tabStorage()?.setItem(ENDED_KEY, "1");

export const forgetToken = (): void => tabStorage()?.removeItem(STORAGE_KEY);
