import { isAuthError } from "../errors.js";
import { cleanText } from "../text.js";
import { publish } from "./channel.js";
import { masked, maskedUrl } from "./masked.js";
import type { RequestMessage } from "./message.js";

/** A request, before it is masked. */
export interface RequestToTell {
  readonly what: string;
  readonly method: string;
  readonly url: string | URL;
  readonly form?: Readonly<Record<string, string>> | undefined;
  /** The whole `Authorization` header. */
  readonly authorization: string;
}

type Outcome = Pick<RequestMessage, "status" | "contentType" | "error" | "reason">;

/** Sends a request, and tells of it and its answer, or why none came. */
export async function toldRequest<T>(
  { what, method, url, form, authorization }: RequestToTell,
  exchange: () => Promise<T>,
  outcomeOf: (answer: T) => Outcome,
): Promise<T> {
  const begun = performance.now();
  const [scheme = ""] = authorization.split(" ");
  const tell = (outcome: () => Outcome) =>
    publish(() => ({
      type: "request",
      what,
      method,
      url: maskedUrl(url),
      ...(form && { form: masked(Object.entries(form)) }),
      ...(/^(basic|bearer|dpop)$/i.test(scheme) && { authorization: scheme }),
      ...shown(outcome()),
      durationMs: performance.now() - begun,
    }));
  try {
    const answer = await exchange();
    tell(() => outcomeOf(answer));
    return answer;
  } catch (error) {
    // Of what is no error of ours only its kind: its message may hold anything.
    tell(() =>
      isAuthError(error)
        ? { error: error.code, reason: error.message }
        : { error: "unexpected", reason: error instanceof Error ? error.name : typeof error },
    );
    throw error;
  }
}

/** Without a content type that is none; a server may write anything there. */
function shown({ contentType = "", ...rest }: Outcome): Outcome {
  const type = cleanText(contentType, 80);
  return { ...rest, ...(type && { contentType: type }) };
}
