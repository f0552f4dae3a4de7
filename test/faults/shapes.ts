import type { AuthErrorCode } from "../../src/errors.js";
import { isRecord } from "../../src/jwt.js";
import type { Fault, Nature } from "./faults.js";
import type { RequestName, SiteKind } from "./sites.js";

/** A field of an answer that has another value than it should. */
export interface ShapeCell {
  readonly site: SiteKind;
  /** Whose answer it is. */
  readonly request: RequestName;
  /** Which call meets it, where it is not the one of that request. */
  readonly by?: RequestName;
  readonly fault: Fault;
}

const HUGE = "x".repeat(100_000);

/** Values that no field expects, and those that only some do. */
const SHAPES = {
  missing: undefined,
  null: null,
  "an empty text": "",
  "another text": "x y",
  "a huge text": HUGE,
  "a number": 7,
  zero: 0,
  "a negative number": -1,
  "a fraction": 0.5,
  "a huge number": 1e300,
  "a truth value": true,
  "a list": [],
  "a list of a number": [7],
  "an object": {},
} as const;

type Shape = keyof typeof SHAPES;

/** What must come of a value: nothing (it can be done without), or a failure. */
type Rule = "survived" | "unreadable" | AuthErrorCode;
/** The rule of each value, and that of all that are not named. */
type Rules = { readonly [shape in Shape]?: Rule } & { readonly other: Rule };

const survived: Rules = { other: "survived" };
const needed: Rules = { other: "unreadable" };
/** An address that nobody named is one that the provider does not have. */
const offered: Rules = { other: "not_supported" };
/** Any text will do that can be sent again. */
const opaque: Rules = { ...needed, "another text": "survived", "a huge text": "survived" };

/** RFC 6749 §5.1. A header cannot carry a blank. */
const TOKEN: Readonly<Record<string, Rules>> = {
  access_token: { ...needed, "a huge text": "survived" },
  // RFC 6749 §7.1: a type that is not known must not be used. None at all is the usual one.
  token_type: { ...survived, "another text": "unreadable", "a huge text": "unreadable" },
  refresh_token: survived,
  scope: survived,
};
const ROUTES_TOKEN = { ...TOKEN, expires: survived, refresh_expires: survived };
const ISSUER_TOKEN = { ...TOKEN, expires_in: survived };
/** A statement of who logged in that cannot be checked is none; where it must be there, there is no login. */
const ID_TOKEN: Rules = { ...survived, "another text": "unreadable", "a huge text": "unreadable" };

/** RFC 8628 §3.2. */
const DEVICE: Readonly<Record<string, Rules>> = {
  device_code: opaque,
  user_code: { ...needed, "another text": "survived" },
  verification_uri: needed,
  verification_uri_complete: survived,
  expires_in: survived,
  interval: survived,
};

/** OpenID Connect Discovery §3, by what a call needs of it. */
const DISCOVERY: Partial<Record<RequestName, Readonly<Record<string, Rules>>>> = {
  device: {
    issuer: needed,
    device_authorization_endpoint: { other: "device_flow_unsupported" },
    authorization_endpoint: survived,
    token_endpoint: survived,
    userinfo_endpoint: survived,
    jwks_uri: survived,
    scopes_supported: survived,
    token_endpoint_auth_methods_supported: survived,
    id_token_signing_alg_values_supported: survived,
    mtls_endpoint_aliases: survived,
    end_session_endpoint: survived,
  },
  exchange: {
    authorization_endpoint: offered,
    token_endpoint: offered,
    jwks_uri: survived,
    scopes_supported: survived,
    require_pushed_authorization_requests: survived,
    authorization_response_iss_parameter_supported: survived,
  },
  refresh: { token_endpoint: offered, authorization_endpoint: survived, userinfo_endpoint: survived },
  userinfo: { userinfo_endpoint: offered, token_endpoint: survived, jwks_uri: survived },
};

/** RFC 7517 §4: of the one key that the provider has. */
const KEY: Readonly<Record<string, Rules>> = {
  kty: needed,
  crv: needed,
  x: needed,
  y: needed,
  kid: needed,
  alg: { ...needed, missing: "survived" },
  use: { ...needed, missing: "survived" },
};

function cells(
  site: SiteKind,
  request: RequestName,
  fields: Readonly<Record<string, Rules>>,
  by?: RequestName,
  within: (body: Record<string, unknown>) => Record<string, unknown> = (body) => body,
): ShapeCell[] {
  return Object.entries(fields).flatMap(([field, rules]) =>
    (Object.keys(SHAPES) as Shape[]).map((shape) => ({
      ...{ site, request },
      ...(by && { by }),
      fault: shaped(field, shape, rules[shape] ?? rules.other, within),
    })),
  );
}

function shaped(
  field: string,
  shape: Shape,
  rule: Rule,
  within: (body: Record<string, unknown>) => Record<string, unknown>,
): Fault {
  const nature: Nature =
    rule === "survived"
      ? { kind: "readable" }
      : rule === "unreadable"
        ? { kind: "unreadable" }
        : { kind: "wanting", code: rule };
  return {
    name: `${field}: ${shape}`,
    nature,
    wire: {
      change: (answer) => {
        const body: unknown = JSON.parse(String(answer.body));
        // A refusal, or a poll that is too early, has none of the fields.
        if (answer.status !== 200 || !isRecord(body)) return answer;
        const part = within(body);
        if (shape === "missing") delete part[field];
        else part[field] = SHAPES[shape];
        return { ...answer, body: JSON.stringify(body) };
      },
    },
  };
}

function firstKey(body: Record<string, unknown>): Record<string, unknown> {
  const keys = body["keys"];
  const key: unknown = Array.isArray(keys) ? keys[0] : undefined;
  if (!isRecord(key)) throw new Error("The provider has no key.");
  return key;
}

/** Each field of each answer, in each of the wrong shapes. */
export const SHAPE_CELLS: readonly ShapeCell[] = [
  ...cells("passthrough", "device", DEVICE),
  // A list of the number 7 is a list of a port.
  ...cells("passthrough", "auth-ports", { valid_ports: survived }).filter(
    ({ fault }) => !fault.name.endsWith("a list of a number"),
  ),
  ...cells("passthrough", "userinfo", { username: survived, email: survived }),
  ...(["poll", "exchange", "refresh"] as const).flatMap((request) => [
    ...cells("passthrough", request, ROUTES_TOKEN),
    ...cells("issuer", request, ISSUER_TOKEN),
  ]),
  ...cells("broker", "refresh", ROUTES_TOKEN),
  ...cells("issuer", "poll", { id_token: ID_TOKEN }),
  ...cells("issuer", "exchange", { id_token: needed }),
  ...cells("issuer", "refresh", { id_token: ID_TOKEN }),
  ...cells("issuer", "device", DEVICE),
  ...Object.entries(DISCOVERY).flatMap(([by, fields]) =>
    cells("issuer", "discovery", fields, by as RequestName),
  ),
  ...cells("issuer", "userinfo", { sub: needed, name: survived }),
  ...cells("issuer", "key set", { keys: needed }),
  ...cells("issuer", "key set", KEY, undefined, firstKey),
];
