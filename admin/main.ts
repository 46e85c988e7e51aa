// Entry point of the admin page: signs in with a service's token, then shows what the address names.

import { byId } from "../demo/dom.ts";
import { Api } from "./api.ts";
import { hubView } from "./hub-view.ts";
import { hubsView } from "./hubs-view.ts";
import { metricsFeed } from "./metrics-feed.ts";
import { ago, describe } from "./parts.ts";
import { hashOf, shownAt } from "./place.ts";
import { roomView } from "./room-view.ts";
import { forgetToken, noteEnd, signInForm } from "./sign-in.ts";
import type { Admin } from "./view.ts";

byId("skip").addEventListener("click", (event) => {
  // The address names what is shown.
  event.preventDefault();
  byId("view").focus();
});

signInForm(async (token) => {
  const session = new AbortController();
  const api = new Api(token, () => {
    // Of a token that worked so far; the form shows the refusal of a new one itself.
    if (byId("bar").hidden) return;
    noteEnd();
    leave();
  });
  // The first answer shows whether the token is good.
  await api.text({ method: "GET", path: "metrics" });
  byId("leave").addEventListener("click", leave);
  start(api, session.signal);
});

function leave(): void {
  forgetToken();
  location.reload();
}

function start(api: Api, signal: AbortSignal): void {
  byId("door").hidden = true;
  byId("bar").hidden = false;
  const age = byId("age");
  let problem = "";
  const failed = (error: unknown): void => {
    problem = `Figures could not be read: ${describe(error)}`;
    age.textContent = problem;
  };
  const metrics = metricsFeed({ api, signal, failed });
  metrics.follow(signal, () => (problem = ""));
  setInterval(() => {
    const last = metrics.scrapes.at(-1);
    age.textContent = problem || (last ? `Figures read ${ago(last.at, Date.now())}` : "");
  }, 1_000);
  let view = new AbortController();
  const show = (): void => {
    view.abort();
    view = new AbortController();
    showView({ api, metrics, signal: view.signal });
  };
  addEventListener("hashchange", show);
  show();
}

/** Focus goes to the heading, so that a screen reader says where one is. */
function showView(admin: Admin): void {
  const { hub, room } = shownAt(location.hash);
  const view = room ? roomView(admin, hub!, room) : hub ? hubView(admin, hub) : hubsView(admin);
  const main = byId("view");
  // A question was about the view that ends.
  byId("question", HTMLDialogElement).close();
  const heading = byId("heading");
  heading.textContent = room ?? hub ?? "All hubs";
  document.title = `${heading.textContent} · Dormouse admin`;
  showPath(hub, room);
  main.replaceChildren(...view);
  heading.focus();
}

function showPath(hub: string | undefined, room: string | undefined): void {
  const steps = [
    ...(hub ? [{ text: "All hubs", hash: hashOf() }] : []),
    ...(hub && room ? [{ text: hub, hash: hashOf(hub) }] : []),
  ];
  byId("path").replaceChildren(
    ...steps.map(({ text, hash }) => {
      const item = document.createElement("li");
      const made = document.createElement("a");
      made.href = hash;
      made.textContent = text;
      item.append(made);
      return item;
    }),
  );
}
