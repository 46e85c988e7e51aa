// TypeDoc reads sources by TypeScript's API, which TypeScript 7 has not yet: its imports of `typescript` get version 6.

import { registerHooks } from "node:module";

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === "typescript" ? "@tsd/typescript" : specifier, context),
});
