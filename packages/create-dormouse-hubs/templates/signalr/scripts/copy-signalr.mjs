// Copies Microsoft's client for browsers beside the page.

import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const main = createRequire(import.meta.url).resolve("@microsoft/signalr/package.json");
mkdirSync("public/lib", { recursive: true });
copyFileSync(join(dirname(main), "dist/browser/signalr.min.js"), "public/lib/signalr.min.js");
