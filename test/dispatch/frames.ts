// What clients send, as JSON-RPC has it.

export const request = (id: unknown, method: string, params: unknown = [], more: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
  ...more,
});

export const notification = (method: string, params: unknown = []) => ({
  jsonrpc: "2.0",
  method,
  params,
});

export const cancel = (id: unknown) => notification("$/cancelRequest", { id });
export const item = (stream: string, value: unknown) =>
  notification("$/item", { stream, item: value });
export const end = (stream: string, error?: string) =>
  notification("$/end", { stream, ...(error !== undefined && { error }) });
export const upload = (id: string) => ({ $stream: id });

export const answer = (id: unknown, result: unknown) => ({ jsonrpc: "2.0", id, result });
export const refusal = (id: unknown, message: string) => ({
  jsonrpc: "2.0",
  id,
  error: { code: 1, message },
});
