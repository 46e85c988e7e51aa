// One user: disconnected from a hub, or kept out of all hubs of the tenant.

import { element, sentence } from "../demo/dom.ts";
import { ApiError, type Api } from "./api.ts";
import { isConfirmed } from "./confirm.ts";
import { action, field, input, panel } from "./parts.ts";
import { userPath } from "./place.ts";
import type { Admin } from "./view.ts";

export interface OneUser {
  readonly hub: string;
  readonly user: string;
}

/** Of this hub alone; clients do not come back by themselves, but may. Returns what was done. */
export async function disconnectUser(api: Api, { hub, user }: OneUser): Promise<Node> {
  const reason = "Closed by an operator.";
  await api.post(`${userPath(hub, user)}/:closeConnections`, undefined, { reason });
  return sentence`${user} is disconnected from ${hub}.`;
}

/** Asks for the time and the reason. Returns what was done: nothing, where it is not wished after all. */
export async function banUser(api: Api, { hub, user }: OneUser): Promise<Node | string> {
  const minutes = input({ id: "ban-minutes", value: "60" });
  Object.assign(minutes, { type: "number", min: "1", max: "527040", required: true });
  const reason = input({ id: "ban-reason", maxLength: 200 });
  const isWished = await isConfirmed({
    title: `Ban ${user}`,
    text: "From all hubs of the tenant. Open connections are closed, and the user gets the reason.",
    yes: "Ban",
    fields: [
      { label: "Minutes", control: minutes },
      { label: "Reason, if any", control: reason },
    ],
  });
  if (!isWished) return "";
  await api.post(`${userPath(hub, user)}/:ban`, {
    seconds: Math.round(Number(minutes.value) * 60),
    ...(reason.value.trim() && { reason: reason.value.trim() }),
  });
  return sentence`${user} is banned.`;
}

export function userPanel({ api }: Admin, hub: string): HTMLElement {
  const { element: made, note, body, error } = panel("user", "A user");
  const name = input({ id: "user", maxLength: 128, placeholder: "alice" });
  const act = (label: string, className: string, run: (who: OneUser) => Promise<Node | string>) =>
    action(label, { error, className }, async () => {
      note.textContent = "";
      const user = name.value.trim();
      if (user === "") throw new Error("Whose? Type the user's id.");
      note.replaceChildren(await run({ hub, user }));
    });
  note.role = "status";
  const form = element("form", "controls", field("User id", name));
  const look = act("Is connected?", "", async (one) => await presenceOf(api, one));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    look.click();
  });
  body.append(
    form,
    element("div", "row", look, ...userActions(api, act)),
    element("p", "hint", "Bans and revocations hold in all hubs of the tenant."),
  );
  return made;
}

type Act = (
  label: string,
  className: string,
  run: (who: OneUser) => Promise<Node | string>,
) => HTMLButtonElement;

const userActions = (api: Api, act: Act): HTMLButtonElement[] => [
  act("Disconnect", "", (one) => disconnectUser(api, one)),
  act("Revoke tokens", "", async (one) => {
    const isWished = await isConfirmed({
      title: `Revoke the tokens of ${one.user}`,
      text: "All that were issued until now, in all hubs of the tenant. Open connections are closed.",
      yes: "Revoke",
    });
    if (!isWished) return "";
    await api.post(`${userPath(one.hub, one.user)}/:revoke`, {});
    return sentence`All tokens of ${one.user} until now are refused.`;
  }),
  act("Ban", "danger", (one) => banUser(api, one)),
  act("Unban", "", async (one) => {
    await api.post(`${userPath(one.hub, one.user)}/:unban`, undefined);
    return sentence`${one.user} is not banned.`;
  }),
];

async function presenceOf(api: Api, { hub, user }: OneUser): Promise<Node> {
  try {
    await api.text({ method: "GET", path: userPath(hub, user) });
    return sentence`${user} is connected to ${hub}.`;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404)
      return sentence`${user} has no connection to ${hub}.`;
    throw error;
  }
}
