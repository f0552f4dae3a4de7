/** What a terminal can do, and the sequences for it. */

export interface Style {
  /** Whether more than plain lines can be shown. */
  readonly capable: boolean;
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  red(text: string): string;
  /** A text that opens an address when it is clicked (OSC 8); the text alone where the terminal cannot. */
  link(text: string, url: string): string;
}

export interface TerminalFacts {
  readonly isTty: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** `NO_COLOR` (https://no-color.org), `TERM=dumb`, screen readers and pipes get plain lines. */
export function createStyle({ isTty, env }: TerminalFacts): Style {
  const capable = isTty && env["TERM"] !== "dumb" && !env["NO_COLOR"];
  const sequence = (open: number, close: number, allowed: boolean) => (text: string) =>
    allowed ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    capable,
    bold: sequence(1, 22, capable),
    dim: sequence(2, 22, capable),
    green: sequence(32, 39, capable),
    red: sequence(31, 39, capable),
    link: (text, url) => (capable ? `\u001b]8;;${url}\u001b\\${text}\u001b]8;;\u001b\\` : text),
  };
}
