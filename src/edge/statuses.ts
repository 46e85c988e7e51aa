// The HTTP status of each error that a request may end with.

export const STATUS: ReadonlyMap<string, number> = new Map([
  ["forbidden", 403],
  ["invalid_arguments", 400],
  ["invalid_filter", 400],
  ["invalid_continuation", 400],
  ["invalid_request", 400],
  ["malformed", 400],
  ["too_deep", 400],
  ["too_large", 413],
  ["not_found", 404],
  ["method_not_allowed", 405],
  ["connection_not_found", 404],
  ["hub_not_found", 404],
  ["room_kind_not_found", 404],
  ["invalid_name", 400],
  ["invalid_position", 400],
  ["history_gone", 410],
  ["too_many_connections", 429],
  ["too_many_groups", 400],
  ["relay_full", 503],
  ["unavailable", 503],
  ["upgrade_required", 426],
  ["unsupported_media_type", 415],
  ["rate_limited", 429],
  ["unauthorized", 401],
  ["token_revoked", 401],
  ["banned", 403],
  ["client_error", 502],
  ["no_access_keys", 501],
  ["timed_out", 504],
  ["refused_by_webhook", 403],
  ["webhook_unavailable", 503],
]);

/** The platform's own words for an object that is reset, moved or has too much to do. */
export const isOverload = (error: Error): boolean =>
  ["overloaded", "retryable"].some(
    (flag) => (error as unknown as Record<string, unknown>)[flag] === true,
  );
