import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "onnx-buf";

/**
 * Adds texts to an ONNX model (`metadata_props`).
 * @param model a ModelProto's bytes; lists of a protocol buffer grow by what is written behind it
 */
export function withMetadata(model: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const metadataProps = Object.entries(texts).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  const tail = toBinary(ModelProtoSchema, create(ModelProtoSchema, { metadataProps }));
  const out = new Uint8Array(model.length + tail.length);
  out.set(model);
  out.set(tail, model.length);
  return out;
}
