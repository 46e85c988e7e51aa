// Publishes a message to the room, as a service does: nothing is validated by the hub.

import { element, onSubmit } from "../demo/dom.ts";
import { field, input, panel } from "./parts.ts";
import { roomPath } from "./place.ts";
import type { OneRoom } from "./room-view.ts";
import type { Admin } from "./view.ts";

export function publishPanel({ api }: Admin, { hub, room }: OneRoom): HTMLElement {
  const { element: made, note, body, error } = panel("publish", "Publish");
  const target = input({ id: "target", maxLength: 200, placeholder: "receiveMessage" });
  target.required = true;
  const args = element("textarea", "");
  Object.assign(args, { id: "arguments", rows: 3, value: "[]", spellcheck: false });
  const submit = element("button", "primary", "Publish");
  note.role = "status";
  const form = element(
    "form",
    "",
    field("Client method", target),
    field("Arguments, a JSON array", args),
    submit,
  );
  /** Of one message: a second press after a lost answer must not publish it twice. */
  let key = crypto.randomUUID();
  form.addEventListener("input", () => (key = crypto.randomUUID()));
  onSubmit(form, error, async () => {
    note.textContent = "";
    const { offset } = await api.json<{ readonly offset: number }>({
      method: "POST",
      path: `${roomPath(hub, room)}/:publish`,
      written: bodyOf(target.value.trim(), args.value),
      headers: { "idempotency-key": key },
    });
    key = crypto.randomUUID();
    note.textContent = `published at ${offset}`;
  });
  const hint = "The hub does not validate it: clients get what is typed here.";
  body.append(form, element("p", "hint", hint));
  return made;
}

/** With the arguments as they were typed: parsed, long numbers would be others. Throws a sentence for the form. */
function bodyOf(target: string, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`The arguments are no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!Array.isArray(value)) throw new Error("The arguments are no array: [ … ].");
  return `{"target":${JSON.stringify(target)},"arguments":${text}}`;
}
