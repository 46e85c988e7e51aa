// The sign-in form: by name where the endpoint issues tokens for names, and otherwise by a token.

import { attempt, byId, tabStorage } from "./dom.ts";
import { cachedToken, devToken, NoDevTokens } from "./tokens.ts";
import type { Token } from "../src/client/index.ts";

export interface SignIn {
  readonly token: Token;
  readonly room: string;
  readonly isManager: boolean;
}

const STORAGE_KEY = "dormouse-demo";

/** `start` opens the application. If it rejects, the form shows the error and can be submitted again. */
export function signInForm(start: (signIn: SignIn) => Promise<void>): void {
  const form = byId("sign-in", HTMLFormElement);
  const error = byId("door-error");
  const submit = byId("enter", HTMLButtonElement);
  byId("other-way").addEventListener("click", () => showFields(form.dataset["by"] !== "token"));
  restoreInputs();
  showFields(false);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit.disabled = true;
    void attempt(error, async () => start(await signInOf(form))).finally(() => {
      submit.disabled = false;
      if (error.textContent) focusFirst(form);
    });
  });
}

/** Shows the fields of one of the two ways to sign in. */
function showFields(byToken: boolean): void {
  const form = byId("sign-in", HTMLFormElement);
  form.dataset["by"] = byToken ? "token" : "name";
  for (const field of form.querySelectorAll<HTMLElement>(".by-name")) field.hidden = byToken;
  for (const field of form.querySelectorAll<HTMLElement>(".by-token")) field.hidden = !byToken;
  const other = byId("other-way");
  other.textContent = byToken ? "Use a name instead" : "Use a token instead";
  other.hidden = form.dataset["names"] === "refused";
  focusFirst(form);
}

const focusFirst = (form: HTMLFormElement): void =>
  byId(form.dataset["by"] === "token" ? "token" : "name").focus();

/** With a name, it also fetches a first token, so that errors of the endpoint appear in the form. */
async function signInOf(form: HTMLFormElement): Promise<SignIn> {
  const room = required("room", "A room needs a name.");
  if (form.dataset["by"] === "token")
    return { room, token: required("token", "Paste a token first."), isManager: false };
  const name = required("name", "Who are you?");
  const isManager = byId("manager", HTMLInputElement).checked;
  const role = isManager ? "Manager" : undefined;
  try {
    await devToken(name, role);
  } catch (error) {
    if (error instanceof NoDevTokens) {
      form.dataset["names"] = "refused";
      showFields(true);
    }
    throw error;
  }
  saveInputs({ name, room, manager: isManager });
  return { room, token: cachedToken(() => devToken(name, role)), isManager };
}

/** Throws `message` for an empty input. */
function required(id: string, message: string): string {
  const value = byId<HTMLInputElement>(id).value.trim();
  if (value === "") throw new Error(message);
  return value;
}

interface Inputs {
  readonly name: string;
  readonly room: string;
  readonly manager: boolean;
}

/** In session storage, which each window has of its own, so that two windows can be two users. */
const saveInputs = (inputs: Inputs): void =>
  void tabStorage()?.setItem(STORAGE_KEY, JSON.stringify(inputs));

function restoreInputs(): void {
  const text = tabStorage()?.getItem(STORAGE_KEY);
  if (!text) return;
  const { name, room, manager } = JSON.parse(text) as Inputs;
  byId("name", HTMLInputElement).value = name;
  byId("room", HTMLInputElement).value = room;
  byId("manager", HTMLInputElement).checked = manager;
}
