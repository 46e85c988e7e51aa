// The door: a name where the endpoint gives tokens away, a token where it does not.

import { attempt, byId } from "./dom.ts";
import { devToken, mayAskForTokens, NoDevTokens, shared } from "./tokens.ts";
import type { Token } from "../src/client/index.ts";

export interface Guest {
  readonly token: Token;
  readonly room: string;
  readonly isManager: boolean;
}

const KEPT = "dormouse-demo";

/** `admit` opens the house, or throws why it cannot. */
export function openDoor(admit: (guest: Guest) => Promise<void>): void {
  const form = byId("sign-in", HTMLFormElement);
  const error = byId("door-error");
  const enter = byId("enter", HTMLButtonElement);
  byId("other-way").addEventListener("click", () => ask(form.dataset["by"] !== "token"));
  recall();
  ask(!mayAskForTokens());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    enter.disabled = true;
    void attempt(error, async () => admit(await guestOf(form))).finally(() => {
      enter.disabled = false;
      if (error.textContent) focusFirst(form);
    });
  });
}

/** Shows the fields of one of the two ways. */
function ask(byToken: boolean): void {
  const form = byId("sign-in", HTMLFormElement);
  form.dataset["by"] = byToken ? "token" : "name";
  for (const field of form.querySelectorAll<HTMLElement>(".by-name")) field.hidden = byToken;
  for (const field of form.querySelectorAll<HTMLElement>(".by-token")) field.hidden = !byToken;
  const other = byId("other-way");
  other.textContent = byToken ? "Use a name instead" : "Use a token instead";
  other.hidden = byToken && !mayAskForTokens();
  focusFirst(form);
}

const focusFirst = (form: HTMLFormElement): void =>
  byId(form.dataset["by"] === "token" ? "token" : "name").focus();

async function guestOf(form: HTMLFormElement): Promise<Guest> {
  const room = needed("room", "A room needs a name.");
  if (form.dataset["by"] === "token")
    return { room, token: needed("token", "Paste a token first."), isManager: false };
  const name = needed("name", "Who are you?");
  const isManager = byId("manager", HTMLInputElement).checked;
  const role = isManager ? "Manager" : undefined;
  try {
    await devToken(name, role);
  } catch (error) {
    if (error instanceof NoDevTokens) ask(true);
    throw error;
  }
  keep({ name, room, manager: isManager });
  return { room, token: shared(() => devToken(name, role)), isManager };
}

function needed(id: string, complaint: string): string {
  const value = byId<HTMLInputElement>(id).value.trim();
  if (value === "") throw new Error(complaint);
  return value;
}

interface Kept {
  readonly name: string;
  readonly room: string;
  readonly manager: boolean;
}

/** For this window only: a second one is somebody else. */
const keep = (kept: Kept): void => sessionStorage.setItem(KEPT, JSON.stringify(kept));

function recall(): void {
  const kept = sessionStorage.getItem(KEPT);
  if (kept === null) return;
  const { name, room, manager } = JSON.parse(kept) as Kept;
  byId("name", HTMLInputElement).value = name;
  byId("room", HTMLInputElement).value = room;
  byId("manager", HTMLInputElement).checked = manager;
}
