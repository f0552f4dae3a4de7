import fc from "fast-check";
import { HOSTILE_TEXTS } from "./hostile-text.js";

/** What a server may answer, whatever it was asked for. */

export const HOST = "https://auth.example.org";

export const REDIRECT = "http://localhost:53100/callback";

export const ENDPOINTS = {
  authorization_endpoint: `${HOST}/auth`,
  token_endpoint: `${HOST}/token`,
  device_authorization_endpoint: `${HOST}/device`,
  userinfo_endpoint: `${HOST}/userinfo`,
  introspection_endpoint: `${HOST}/introspect`,
  revocation_endpoint: `${HOST}/revoke`,
  end_session_endpoint: `${HOST}/logout`,
  registration_endpoint: `${HOST}/register`,
  jwks_uri: `${HOST}/jwks`,
};

/** All members that are ever read of an answer. */
const MEMBERS = `
  access_token token_type expires exp expires_in expires_at refresh_token scope id_token
  refresh_expires refresh_expires_in error error_description detail message msg loc device_code
  user_code verification_uri verification_url verification_uri_complete interval valid_ports sub
  iss active issuer resource authorization_servers scopes_supported client_id client_secret
  client_secret_expires_at token_endpoint_auth_methods_supported __proto__ constructor toString
`;
const NAMES = [...MEMBERS.trim().split(/\s+/), ...Object.keys(ENDPOINTS)];

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    ...Object.values(HOSTILE_TEXTS),
    "invalid_grant",
    "authorization_pending",
    "Bearer",
    "a.b.c",
  ),
  fc.constantFrom(
    "https://good.example/x",
    HOST,
    "javascript:alert(1)",
    "5",
    "1e999",
    "Upstream OIDC error: {}",
  ),
);
const value = fc.letrec<{ value: unknown; record: unknown }>((tie) => ({
  record: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), text), tie("value"), { maxKeys: 4 }),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    text,
    fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, 1e15, 253_402_300_799, 1e300)),
    fc.constantFrom(null, true, false),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("record"),
  ),
})).value;

const body = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .dictionary(fc.constantFrom(...NAMES), value, { maxKeys: 12 })
      .map((one) => JSON.stringify(one)),
  },
  { weight: 1, arbitrary: value.map((one) => JSON.stringify(one)) },
  { weight: 1, arbitrary: text },
);
const headerText = fc.oneof(text, fc.string()).map((one) => one.replace(/[^\x20-\x7e\x80-\xff]/g, ""));
const headers = fc.record(
  {
    "content-type": fc.constantFrom("application/json", "text/html", "application/jwt", "application/x"),
    "retry-after": fc.oneof(
      headerText,
      fc.constantFrom("1", "9".repeat(400), "Sat, 13 Sep 275760 00:00:00 GMT"),
    ),
    date: fc.oneof(
      headerText,
      fc.constantFrom("Sat, 13 Sep 275760 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ),
    age: headerText,
    location: fc.oneof(
      headerText,
      fc.webUrl(),
      fc.constantFrom("javascript:alert(1)", `/x?state=a|${REDIRECT}|v`),
    ),
    "www-authenticate": headerText.map(
      (one) => `Bearer error="${one.replace(/["\\]/g, "")}", scope="${one.replace(/["\\]/g, "")}"`,
    ),
  },
  { requiredKeys: [] },
);
/** An answer as a whole. */
export const answer = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constant(200) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(201, 204, 302, 307, 400, 401, 403, 404, 405, 422, 429, 500, 502, 503),
    },
  ),
  body,
  headers,
});
export type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;
