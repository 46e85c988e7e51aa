// The URL of a request, parsed once: routes, tokens, the query and the path are read one after another.

const PARSED = new WeakMap<Request, URL>();

/** The same object each time, which must not be changed. Its `searchParams` cost as much as its parsing. */
export function urlOf(request: Request): URL {
  const known = PARSED.get(request);
  if (known) return known;
  const url = new URL(request.url);
  PARSED.set(request, url);
  return url;
}
