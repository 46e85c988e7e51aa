// The order of all pages. Pages of the API are listed as they were written.

import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DefaultTheme } from "vitepress";

type Item = DefaultTheme.SidebarItem;

/** Tests build a copy. */
export const DOCS =
  process.env["DOCS_DIR"] ?? fileURLToPath(new URL("../../docs", import.meta.url));
const API = `${DOCS}/api/`;

const page = (text: string, link: string): Item => ({ text, link: `/${link}` });

const GUIDES: Item[] = [
  {
    text: "Start",
    items: [
      page("What it is", ""),
      page("First app in ten minutes", "first-app"),
      page("Guarantees", "guarantees"),
      page("Examples", "api/project/examples"),
    ],
  },
  {
    text: "Build",
    items: [
      page("Hubs", "hubs"),
      page("Rooms", "rooms"),
      page("State", "state"),
      page("Presence", "presence"),
      page("Streams", "streams"),
      page("Database", "database"),
      page("Tests", "testing"),
      page("A worker of your own", "worker"),
    ],
  },
  {
    text: "Clients",
    items: [
      page("The client", "clients"),
      page("React, Vue, Svelte", "components"),
      page("SignalR", "signalr"),
      page("Server-Sent Events", "events"),
      page("JSON-RPC", "json-rpc"),
      page("gRPC", "grpc"),
    ],
  },
  {
    text: "Services",
    items: [
      page("From a service", "services"),
      page("Over REST", "rest"),
      page("Webhooks", "webhooks"),
      page("Tokens and identity providers", "auth"),
    ],
  },
  {
    text: "Run it",
    items: [
      page("Deploy", "deploy"),
      page("Operations", "operations"),
      page("Metrics", "seeing"),
      page("Log and traces", "log"),
      page("Admin page", "admin"),
      page("Costs", "costs"),
      page("Performance", "performance"),
    ],
  },
  {
    text: "Moving from",
    items: [
      page("ASP.NET Core SignalR", "moving-from-signalr"),
      page("Azure SignalR Service", "moving-from-azure-signalr"),
      page("Socket.IO", "moving-from-socket-io"),
      page("Pusher", "moving-from-pusher"),
      page("PartyKit, partyserver", "moving-from-partykit"),
    ],
  },
  {
    text: "Reference",
    items: [
      page("API", "api/"),
      page("REST", "api/rest/"),
      page("Wire", "wire"),
      page("Errors", "api/errors"),
      page("Close codes", "api/close-codes"),
      page("Limits", "limits"),
      page("Settings", "settings"),
      page("Versions", "versions"),
    ],
  },
  page("Troubleshooting", "troubleshooting"),
  {
    text: "Inside",
    collapsed: true,
    items: [
      page("Architecture", "architecture"),
      page("Facts", "design/README"),
      page("Dependencies", "dependencies"),
      page("Contributing", "api/project/contributing"),
      page("Changelog", "api/project/changelog"),
      page("Security", "api/project/security"),
    ],
  },
];

const KINDS = ["functions", "variables", "classes", "interfaces", "type-aliases"];
const ENTRIES = [
  "hub",
  "server",
  "testing",
  "client",
  "state",
  "react",
  "vue",
  "svelte",
  "backend",
];

/** An entry of the package with its exports; where the reference is not written, the entry alone. */
const entry = (name: string): Item => ({
  ...page(`dormouse-hubs/${name}`, `api/${name}/`),
  collapsed: true,
  items: KINDS.flatMap((kind) => exportsOf(`${name}/${kind}`)),
});

const exportsOf = (folder: string): Item[] =>
  existsSync(API + folder)
    ? readdirSync(API + folder)
        .toSorted()
        .map((file) => page(file.replace(".md", ""), `api/${folder}/${file.replace(".md", "")}`))
    : [];

const REST = ["hub", "connections", "groups", "users", "rooms", "endpoint"];

const REFERENCE: Item[] = [
  { text: "API", items: ENTRIES.map(entry) },
  {
    text: "REST",
    items: [page("Operations", "api/rest/"), ...REST.map((tag) => page(tag, `api/rest/${tag}`))],
  },
  ...GUIDES.filter(({ text }) => text === "Reference"),
];

/** The guides alone: the reference is no reading for language models, which have its types. */
export const withoutApi = (items: Item[]): Item[] =>
  items
    .filter(({ link = "" }) => !/^\/(?:api|design)\//.test(link))
    .map((item) => (item.items ? { ...item, items: withoutApi(item.items) } : item));

export const sidebar: DefaultTheme.SidebarMulti = {
  "/api/project/": GUIDES,
  "/api/errors": GUIDES,
  "/api/close-codes": GUIDES,
  "/api/": REFERENCE,
  "/": GUIDES,
};
