// gRPC: call credentials carry the token (over TLS only), and it is renewed once where the API refuses it.
import { readFileSync } from "node:fs";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { tokenProvider } from "oidc-auth-client";
import { people, type Who, type WhoRequest } from "./people-service.js";

const host = process.env["AUTH_HOST"] ?? "https://auth.example.org";
const address = process.env["GRPC_ADDRESS"] ?? "api.example.org:443";
const rootsFile = process.env["GRPC_ROOTS"];

const getToken = tokenProvider(host);
const client = new Client(address, credentials.createSsl(rootsFile ? readFileSync(rootsFile) : null));

/** One call with a token: gRPC sends it with each, as it does its deadline. */
async function call(token: string, request: WhoRequest): Promise<Who> {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const bearer = credentials.createFromMetadataGenerator((_params, done) => done(null, metadata));
  const { path, requestSerialize, responseDeserialize } = people.whoAmI;
  return new Promise((resolve, reject) => {
    const answer = (error: ServiceError | null, who?: Who) => (who ? resolve(who) : reject(error));
    const options = { credentials: bearer };
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, answer);
  });
}

export async function whoAmI(request: WhoRequest = {}): Promise<Who> {
  const token = await getToken();
  try {
    return await call(token, request);
  } catch (error) {
    if ((error as ServiceError).code !== status.UNAUTHENTICATED) throw error;
    return call(await getToken({ rejected: token }), request);
  }
}

console.log(`grpc: ${(await whoAmI()).username}`);
client.close();
