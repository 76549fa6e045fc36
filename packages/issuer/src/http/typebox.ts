import type { StaticDecode, StaticEncode, TSchema } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import type { FastifySchemaCompiler, FastifyTypeProvider } from "fastify";
import { EdgeError } from "./problems.ts";

/**
 * Lets TypeBox itself check what comes in and give handlers the decoded form (amounts as bigint, bytes as bytes):
 * strict, nothing is coerced, nothing unknown is dropped.
 */
export interface TypeBoxProvider extends FastifyTypeProvider {
  validator: this["schema"] extends TSchema ? StaticDecode<this["schema"]> : unknown;
  serializer: this["schema"] extends TSchema ? StaticEncode<this["schema"]> : unknown;
}

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const compiled = TypeCompiler.Compile(schema);
  return (value: unknown) => {
    if (compiled.Check(value)) return { value: Value.Decode(schema, value) };
    const first = compiled.Errors(value).First();
    const where = first === undefined || first.path === "" ? "the whole" : first.path.slice(1);
    return { error: new EdgeError("INPUT_INVALID", first === undefined ? undefined : `${where}: ${first.message}`) };
  };
};
