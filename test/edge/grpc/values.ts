// What tests send.

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, ValueSchema, type ListValue } from "@bufbuild/protobuf/wkt";

export const list = (values: readonly JsonValue[]): ListValue =>
  fromJson(ListValueSchema, [...values]);

export const publication = (topic: string, text: string, hub = "plain") => ({
  ...{ hub, topic, target: "said", arguments: list([text]) },
});

/** As messages of an upload. */
export const publishing = (value: ReturnType<typeof publication>) => ({
  kind: { case: "publish", value } as const,
});

export const uploaded = (...args: Parameters<typeof publication>) =>
  publishing(publication(...args));

/** A method with a stream, and what it reads. */
export const streaming = (hub: string, method: string, args: readonly JsonValue[] = []) => ({
  kind: { case: "invoke", value: { hub, method, arguments: list(args) } } as const,
});

export const item = (value: JsonValue) => ({
  kind: { case: "item", value: fromJson(ValueSchema, value) } as const,
});
