import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { localCertificate } from "../support/certificates.js";
import { startIssuer } from "../support/issuer.js";
import { runNode } from "../support/processes.js";
import { tempFolder } from "../support/temp-folder.js";

const PROGRAM = resolve(import.meta.dirname, "../../dist/cli/main.js");
const CLIENT = {
  client_id: "service",
  client_secret: "a-secret-of-a-test",
  id_token_signed_response_alg: "ES256" as const,
  redirect_uris: [],
  response_types: [],
  grant_types: ["client_credentials"],
};

/** Node reads the variable when it starts: hence a process. */
it("an authority that is named is trusted beside that of NODE_EXTRA_CA_CERTS, and neither without being named", async () => {
  const [ours, another] = [await localCertificate(), await localCertificate()];
  const folder = tempFolder();
  const [file, other] = [join(folder, "ours.pem"), join(folder, "another.pem")];
  writeFileSync(file, ours.ca);
  writeFileSync(other, another.ca);
  const { issuer } = await startIssuer({ clients: [CLIENT], tls: ours });
  const tokenOf = async (words: readonly string[], env: Record<string, string>) => {
    const client = [
      "--client-id",
      "service",
      "--client-secret-env",
      "CLIENT_SECRET",
      "--credentials",
      "client",
    ];
    const program = runNode(PROGRAM, ["token", issuer, ...client, ...words], {
      XDG_CACHE_HOME: tempFolder(),
      CLIENT_SECRET: CLIENT.client_secret,
      ...env,
    });
    const { code } = await program.ended();
    return code === 0 ? "a token" : program.errors.join("\n");
  };
  expect(await tokenOf(["--ca-file", other], { NODE_EXTRA_CA_CERTS: file })).toBe("a token");
  expect(await tokenOf(["--ca-file", file], { NODE_EXTRA_CA_CERTS: other })).toBe("a token");
  expect(await tokenOf(["--ca-file", other], {})).toContain("certificate or TLS set-up is not trusted");
});
