// The figures of one room, and what ends its connections, its messages or itself.

import { element, sentence } from "../demo/dom.ts";
import type { Api } from "./api.ts";
import { chart } from "./chart.ts";
import { isConfirmed } from "./confirm.ts";
import { every } from "./every.ts";
import { action, panel, perSecond, repeatable, whole } from "./parts.ts";
import { roomPath } from "./place.ts";
import type { OneRoom } from "./room-view.ts";
import type { Admin } from "./view.ts";

export interface RoomInfo {
  readonly epoch: string;
  readonly offset: number;
  readonly num_clients: number;
  readonly num_users: number;
  readonly messages_per_second: number;
  readonly has_state: boolean;
}

const EVERY_MS = 5_000;
const POINTS = 60;

export function factsPanel({ api, signal }: Admin, { hub, room }: OneRoom): HTMLElement {
  const path = roomPath(hub, room);
  const shown = panel("facts", "This room");
  const connections = chart("Connections", whole);
  const users = chart("Users", whole);
  const rate = chart("Messages, over a minute", perSecond);
  let infos: readonly RoomInfo[] = [];
  const load = repeatable(shown.error, async () => {
    infos = [...infos, await api.get<RoomInfo>(path)].slice(-POINTS);
    connections.show(infos.map((one) => one.num_clients));
    users.show(infos.map((one) => one.num_users));
    rate.show(infos.map((one) => one.messages_per_second));
    const { epoch, offset } = infos.at(-1)!;
    shown.note.textContent = `position ${epoch.slice(0, 8)}:${offset}`;
    shown.note.title = `${epoch}:${offset}`;
  });
  const charts = [connections, users, rate].map((one) => one.element);
  const done = element("p", "hint");
  done.role = "status";
  shown.body.append(
    element("div", "figures", ...charts),
    element("div", "row", ...endings({ api, path, room, done, error: shown.error })),
    done,
    element("p", "hint", "Asked every 5 s while you look: the room stays awake meanwhile."),
  );
  every(EVERY_MS, signal, load);
  return shown.element;
}

interface Ending {
  readonly api: Api;
  readonly path: string;
  readonly room: string;
  readonly done: HTMLElement;
  readonly error: HTMLElement;
}

/** Each asks first; erasing asks for the room's name. */
function endings({ api, path, room, done, error }: Ending): HTMLElement[] {
  const ending = (question: Parameters<typeof isConfirmed>[0], run: () => Promise<unknown>) =>
    action(question.title, { error, className: "danger" }, async () => {
      done.textContent = "";
      if (!(await isConfirmed(question))) return;
      await run();
      done.textContent = `Done: ${question.title.toLowerCase()}.`;
    });
  return [
    ending(
      {
        title: "Disconnect all",
        text: sentence`Closes every connection in ${room}. Clients do not reconnect automatically.`,
        yes: "Disconnect",
      },
      () => api.post(`${path}/:closeConnections`, undefined, { reason: "Closed by an operator." }),
    ),
    ending(
      {
        title: "Clear history",
        text: sentence`Deletes the messages of ${room}. Its offsets continue.`,
        yes: "Clear",
      },
      () => api.delete(`${path}/history`),
    ),
    ending(
      {
        title: "Erase room",
        text: sentence`Deletes the log of ${room} and begins another epoch: its clients reload.`,
        yes: "Erase",
        typed: room,
      },
      () => api.delete(path),
    ),
  ];
}
