// Markdown as GitHub and npm show it, on the site: the same anchors, and links that leave docs/.

import type { MarkdownRenderer } from "vitepress";

/** As GitHub makes them. */
export const slugOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

/** Pages of the project that the site has as well: site/reference/project-pages.ts. */
export const PROJECT_PAGES: Readonly<Record<string, string>> = {
  "CHANGELOG.md": "changelog",
  "CONTRIBUTING.md": "contributing",
  "SECURITY.md": "security",
  "examples/README.md": "examples",
};

/** Facts for readers of the code, and the changelog, hide in a search what readers of the guides look for. */
export const isSearched = (path: string): boolean =>
  !path.startsWith("design/") && path !== "api/project/changelog.md";

/** Without colours of code, which cost more than the rest and are in no index. */
export function renderPlain(md: MarkdownRenderer, source: string, env: object): string {
  const { highlight } = md.options;
  md.options.highlight = null;
  try {
    return md.render(source, env);
  } finally {
    md.options.highlight = highlight;
  }
}

/**
 * A link out of docs/ goes to the project's page of the site, or to the repository; where no repository is known, it is
 * text.
 */
export function outside(md: MarkdownRenderer, repository: string | undefined): void {
  md.core.ruler.push("outside", ({ tokens, env }) => {
    const { relativePath = "" } = env as { relativePath?: string };
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const path = pathOutside(relativePath, token.attrGet("href"));
      if (path === undefined) continue;
      const to = targetOf(path, relativePath, repository);
      if (to === undefined) token.attrs = [];
      else token.attrSet("href", to);
    }
  });
}

/** The path from the project's root of a relative link that leaves docs/. */
function pathOutside(page: string, href: string | null): string | undefined {
  if (href === null || !/^\.\.?\//.test(href)) return undefined;
  const { pathname, hash } = new URL(href, `file:///root/project/docs/${page}`);
  if (pathname.startsWith("/root/project/docs/")) return undefined;
  return decodeURI(pathname).replace("/root/project/", "") + hash;
}

function targetOf(path: string, page: string, repository: string | undefined): string | undefined {
  const [file = "", anchor] = path.split("#");
  const own = PROJECT_PAGES[file];
  if (own === undefined)
    return repository === undefined ? undefined : `${repository}/blob/main/${path}`;
  const up = "../".repeat(page.split("/").length - 1) || "./";
  return `${up}api/project/${own}.md${anchor === undefined ? "" : `#${anchor}`}`;
}
