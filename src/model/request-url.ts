// The URL of a request, parsed once, because routes, tokens, query and path are read by different parts.

const PARSED = new WeakMap<Request, URL>();

/** Returns the same object each time: do not change it. Its `searchParams` cost as much as parsing the URL. */
export function urlOf(request: Request): URL {
  const known = PARSED.get(request);
  if (known) return known;
  const url = new URL(request.url);
  PARSED.set(request, url);
  return url;
}
