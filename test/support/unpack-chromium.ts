// A process of its own: the package unpacks into the temporary folder, and takes what lies there for its own, whole or
// not. Were it told where by this process' environment, whatever else starts meanwhile would be told so too.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import chromium, { inflate } from "@sparticuz/chromium";

const PACKAGE = fileURLToPath(new URL("../../node_modules/@sparticuz/chromium", import.meta.url));

await chromium.executablePath();
await inflate(join(PACKAGE, "bin/al2023.tar.br"));
