// Takes from a page, before its scripts load, what React Native 0.86 does not have. A page's `document` and `location`
// cannot be taken away.

for (const name of ["addEventListener", "removeEventListener", "dispatchEvent"])
  Object.defineProperty(globalThis, name, { value: undefined });
for (const name of ["crypto", "MessageEvent", "CloseEvent"])
  Reflect.deleteProperty(globalThis, name);
for (const [type, name] of [
  [String, "isWellFormed"],
  [AbortSignal, "reason"],
])
  Reflect.deleteProperty(type.prototype, name);
Object.defineProperty(navigator, "product", { value: "ReactNative" });
Object.defineProperty(navigator, "onLine", { value: undefined });

/** Reads the parts of http and https only, and refuses nothing. */
globalThis.URL = class extends URL {
  get host() {
    return /^https?:$/.test(this.protocol) ? super.host : "";
  }
};
