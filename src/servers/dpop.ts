import type { CryptoKey } from "jose";
import type { Configuration, DPoPHandle } from "openid-client";
import type { DpopKey } from "../token.js";
import { serverSeconds } from "./clock-skew.js";

/** Handles by key: each remembers the nonces that servers gave it, which saves a refused request (RFC 9449 §8). */
const handles = new Map<string, DPoPHandle>();
const MAX_HANDLES = 100;

/** A new key for proofs of possession. */
export async function newDpopKey(): Promise<DpopKey> {
  const { exportJWK, generateKeyPair } = await import("jose");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)) };
}

/** Makes the proofs of a key (RFC 9449 §4). */
export async function dpopHandle(
  library: typeof import("openid-client"),
  configuration: Configuration,
  key: DpopKey,
): Promise<DPoPHandle> {
  return handleOf(key, (pair) =>
    library.getDPoPHandle(configuration, pair, { [library.modifyAssertion]: setServerTime }),
  );
}

/** A proof is judged by the clock of whoever it is for (RFC 9449 §4.3). */
export function setServerTime(_header: unknown, proof: { htu?: unknown; iat?: unknown }): void {
  proof.iat = serverSeconds(new URL(String(proof.htu)));
}

/** The key's handle, made once. */
export async function handleOf<T extends DPoPHandle>(
  key: DpopKey,
  make: (pair: { privateKey: CryptoKey; publicKey: CryptoKey }) => T,
): Promise<T> {
  const { calculateJwkThumbprint, importJWK } = await import("jose");
  const id = await calculateJwkThumbprint(key as never);
  const known = handles.get(id);
  if (known) return known as T;
  const { d: _private, ...open } = key;
  const pair = {
    privateKey: (await importJWK({ ...key }, "ES256")) as CryptoKey,
    publicKey: (await importJWK(open, "ES256", { extractable: true })) as CryptoKey,
  };
  const handle = make(pair);
  if (handles.size >= MAX_HANDLES) handles.clear();
  handles.set(id, handle);
  return handle;
}
