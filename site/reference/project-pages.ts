// Pages of the project outside docs/ as pages of the site, with their links made for the new place.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { PROJECT_PAGES } from "../.vitepress/markdown.ts";

/** Where the pages stand, from the project's root. */
const PLACE = "docs/api/project";

/** Writes `out/{name}.md`. Links to other files of the project become relative to that folder. */
export function writeProjectPages(project: string, out: string): void {
  mkdirSync(out, { recursive: true });
  for (const [file, name] of Object.entries(PROJECT_PAGES)) {
    const moved = readFileSync(project + file, "utf8").replaceAll(
      /\]\((?!\w+:|#|<)([^)\s]+)\)/g,
      (_, to: string) => `](${posix.relative(PLACE, posix.join(posix.dirname(file), to))})`,
    );
    writeFileSync(`${out}/${name}.md`, moved);
  }
}
