// A question before what cannot be undone. Escape and "Cancel" are no.

import { byId, element } from "../demo/dom.ts";
import { button, field } from "./parts.ts";

interface Question {
  readonly title: string;
  readonly text: string;
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
  const form = element(
    "form",
    "",
    element("h2", "", title),
    element("p", "", text),
    ...fields.map(({ label, control }) => field(label, control)),
    ...(typed === undefined ? [] : [field(`Type ${typed} to go on`, name)]),
    element(
      "div",
      "row",
      go,
      button("Cancel", "", () => dialog.close()),
    ),
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
