// What tests send.

import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { ListValueSchema, type ListValue } from "@bufbuild/protobuf/wkt";

export const list = (values: readonly JsonValue[]): ListValue =>
  fromJson(ListValueSchema, [...values]);

export const publication = (topic: string, text: string, hub = "plain") => ({
  ...{ hub, topic, target: "said", arguments: list([text]) },
});
