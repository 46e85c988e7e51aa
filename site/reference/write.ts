// All that the site has from the sources, below docs/api/: written anew by each build, and in no commit.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { writeApiPages } from "./api-pages.ts";
import { writeCodePages } from "./code-pages.ts";
import { writeProjectPages } from "./project-pages.ts";
import { writeRestPages } from "./rest-pages.ts";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
/** Tests build a copy of docs/. */
const DOCS = process.env["DOCS_DIR"] ?? `${PROJECT}docs`;

rmSync(`${DOCS}/api`, { recursive: true, force: true });
await writeApiPages(`${DOCS}/api`);
await writeRestPages(`${DOCS}/api/rest`);
writeCodePages(`${DOCS}/api`, `${DOCS}/troubleshooting.md`);
writeProjectPages(PROJECT, `${DOCS}/api/project`);
