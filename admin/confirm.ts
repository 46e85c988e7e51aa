// A question before what cannot be undone. Escape, "Cancel" and another view are no.

import { byId, element, sentence } from "../demo/dom.ts";
import { button, field } from "./parts.ts";

interface Question {
  readonly title: string;
  readonly text: Node | string;
  /** The label of the button that does it. */
  readonly yes: string;
  /** Controls whose values the caller reads afterwards. */
  readonly fields?: readonly { readonly label: string; readonly control: HTMLInputElement }[];
  /** Has to be typed first. */
  readonly typed?: string;
}

/** The dialog keeps the focus, and gives it back. */
export function isConfirmed({ title, text, yes, fields = [], typed }: Question): Promise<boolean> {
  const dialog = byId("question", HTMLDialogElement);
  const name = element("input", "");
  Object.assign(name, { id: "typed", autocomplete: "off", autocapitalize: "none" });
  const go = element("button", "danger", yes);
  go.value = "yes";
  go.disabled = typed !== undefined;
  name.addEventListener("input", () => (go.disabled = name.value !== typed));
  const cancel = button("Cancel", "", () => dialog.close());
  // A key that is held down, or pressed twice, must not answer: the focus is on "Cancel", or in the first field.
  cancel.autofocus = fields.length === 0 && typed === undefined;
  for (const { control } of fields)
    control.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  const form = element(
    "form",
    "",
    element("h2", "", title),
    // A question may be asked again: the nodes of its text stay with it.
    element("p", "", typeof text === "string" ? text : text.cloneNode(true)),
    ...fields.map(({ label, control }) => field(label, control)),
    ...(typed === undefined ? [] : [field(sentence`Type ${typed} to go on`, name)]),
    element("div", "row", go, cancel),
  );
  form.method = "dialog";
  dialog.ariaLabel = title;
  dialog.returnValue = "";
  dialog.replaceChildren(form);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
