// The docs site, of docs/*.md and of what site/reference writes to docs/api: `npm run docs`, `npm run docs:dev`.

import { fileURLToPath } from "node:url";
import { defineConfig, type DefaultTheme } from "vitepress";
import llmstxt from "vitepress-plugin-llms";
import { isSearched, outside, renderPlain, slugOf } from "./markdown.ts";
import { DOCS, sidebar, withoutApi } from "./sidebar.ts";

const TITLE = "Dormouse";
const DESCRIPTION = "Realtime hubs and rooms on Cloudflare Workers. Idle rooms hibernate.";

export default defineConfig({
  title: TITLE,
  description: DESCRIPTION,
  lang: "en",
  srcDir: DOCS,
  /** Below a path, as on GitHub Pages: DOCS_BASE=/dormouse/ */
  base: process.env["DOCS_BASE"] ?? "/",
  lastUpdated: false,
  head: [["link", { rel: "icon", href: `${process.env["DOCS_BASE"] ?? "/"}favicon.svg` }]],
  markdown: {
    anchor: { slugify: slugOf },
    config: (md) => void md.use(outside, process.env["DOCS_REPOSITORY"]),
  },
  vite: {
    publicDir: fileURLToPath(new URL("../public", import.meta.url)),
    plugins: [
      llmstxt({
        ...(process.env["DOCS_ORIGIN"] !== undefined && { domain: process.env["DOCS_ORIGIN"] }),
        description: DESCRIPTION,
        ignoreFiles: ["design/**", "api/**"],
        sidebar: withoutApi(sidebar["/"] as DefaultTheme.SidebarItem[]),
        excludeIndexPage: false,
      }),
    ],
  },
  themeConfig: {
    nav: [
      { text: "First app", link: "/first-app" },
      { text: "Guides", link: "/rooms", activeMatch: "^/(rooms|presence|state|streams|clients)" },
      { text: "Reference", link: "/api/", activeMatch: "^/api/" },
      { text: "Troubleshooting", link: "/troubleshooting" },
    ],
    sidebar,
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        _render: (source, env, md) =>
          isSearched(env.relativePath as string) ? renderPlain(md, source, env) : "",
      },
    },
    footer: { message: "MIT" },
  },
});
