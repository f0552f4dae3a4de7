import { createCA, createCert } from "mkcert";

const SOMEWHERE = { organization: "Test", countryCode: "DE", state: "HH", locality: "HH" };

/** In PEM: a certificate for `localhost` and its key, and the authority that it is of, which nobody else knows. */
export interface LocalCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Good for two days. */
export async function localCertificate(): Promise<LocalCertificate> {
  const ca = await createCA({ ...SOMEWHERE, validity: 2 });
  const { cert, key } = await createCert({ ca, domains: ["localhost"], validity: 2 });
  return { ca: ca.cert, cert, key };
}
