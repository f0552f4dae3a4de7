// What a .proto file would say, by hand and in JSON, so that the example needs no code generator.
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

export type WhoRequest = Record<string, never>;

export interface Who {
  username: string;
}

const toJson = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const whoAmI: MethodDefinition<WhoRequest, Who> = {
  path: "/example.People/WhoAmI",
  requestStream: false,
  responseStream: false,
  requestSerialize: toJson,
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as WhoRequest,
  responseSerialize: toJson,
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as Who,
};

export const people = { whoAmI } satisfies ServiceDefinition;
