/** What a hostile server may write wherever it can write something. */

const OWNED = "OWNED";

/** To the terminal: the screen cleared, its title and clipboard set, its answers asked for, its keys turned off. */
const TERMINAL: Readonly<Record<string, string>> = {
  "a cleared screen": "\u001b[2J\u001b[H\u001b[31m",
  "a title (OSC 0)": `\u001b]0;${OWNED}\u0007`,
  "a link (OSC 8)": `\u001b]8;;file:///etc/passwd\u001b\\click\u001b]8;;\u001b\\`,
  "the clipboard (OSC 52)": `\u001b]52;c;${Buffer.from(`touch ${OWNED}\n`).toString("base64")}\u0007`,
  "a question to the terminal": "\u001b[c\u001b[6n\u001b]10;?\u0007\u001bP+q544e\u001b\\",
  "other modes": "\u001b[?1049h\u001b[?1000h\u001b[?2004l\u001b(0\u001b[20h\u001bc",
  "eight-bit controls": `\u009b2J\u009d0;${OWNED}\u009c\u0090q\u009c\u0085`,
  "controls of old": "\u0000\u0007\b\b\b\u000b\u000c\u000e\u000f\u0018\u001a\u007f",
  "a line drawn over": "harmless\revil    ",
  "lines of its own": `x\noidc-auth: warning: ${OWNED}\nToken:       good\n\n`,
  "separators of lines": "a\u2028b\u2029c\u0085d",
};

/** To the eye: what reads otherwise than it is written, or is not seen at all. */
const EYE: Readonly<Record<string, string>> = {
  "right to left": "\u202egnp.exe\u202c \u2066\u2067\u2068x\u2069 \u061c\u200f\u200e",
  "nothing to see": "a\u200bb\u200c\u200d\u2060\u2063\ufeffc\u00ad\u034f\u115f\u3164\u180e",
  "blanks that are none": "a\u00a0b\u3000c\u2003d\u202f",
  "tags and variations": "flag\u{e0001}\u{e0041}\u{e0042}\u{e007f} x\ufe0f\u{e0100}",
  "marks upon marks": `Z${"\u0301\u0316\u0489".repeat(40)}`,
  "half a character": "\ud83d x \udc00",
  "private use": "\ue000\uf8ff\u{f0000}\u{10fffd}",
};

/** To a shell, a page, a parser. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "a shell's substitution": `$(touch ${OWNED})\`touch ${OWNED}\`\${IFS}`,
  "a shell's quotes": `'; touch ${OWNED}; '"; touch ${OWNED}; "`,
  "a shell's operators": `& touch ${OWNED} | touch ${OWNED} > ${OWNED} ; touch ${OWNED} #`,
  "an option": "--help",
  "a short option": "-oProxyCommand=touch",
  "a page": `</p><script>fetch("/${OWNED}")</script><img src=x onerror=alert(1)>"'`,
  "a scheme": "javascript:alert(1)//\u0000file:///etc/passwd",
  "percent signs": "%s%n%d%0a%00%1b[2J",
  "a prototype": "__proto__",
};

/** Each by what it is. */
export const HOSTILE_TEXTS: Readonly<Record<string, string>> = { ...TERMINAL, ...EYE, ...PROGRAMS };

/** All of it in one. */
export const ALL_HOSTILE = Object.values(HOSTILE_TEXTS).join(" ");

/** A text of so many bytes in JSON. By default as long as an answer may be, with room for what stands around it. */
export function longText(pattern: string, bytes = 900_000): string {
  return pattern.repeat(Math.floor(bytes / Buffer.byteLength(JSON.stringify(pattern))));
}

/** The file that a shell would make, had it run what it was given. */
export const MADE_BY_SHELL = OWNED;

/** An access token that a header can carry, and a shell that is not told otherwise would run. */
export const HOSTILE_TOKEN = `a'$(touch$IFS${OWNED})'\`touch$IFS${OWNED}\`";touch$IFS${OWNED};"&#\\|<>%s$'\\n'{a,b}*?~!`;

/** What would take hold of the page in a real browser, wherever a server's name or a person's stands in it. */
export const HOSTILE_MARKUP = [
  `<script>document.title='${OWNED}'</script>`,
  `"><svg onload="document.title='${OWNED}'">`,
  "' onmouseover='document.title=1' x='",
  `<img src=//evil.example/x onerror=document.title='${OWNED}'>`,
  "</style></title></textarea><iframe srcdoc='<script>parent.document.title=1</script>'></iframe>",
  "<meta http-equiv=refresh content='0;url=//evil.example/'><base href=//evil.example/>",
  "&lt;script&gt;&#60;script&#62;&#x3c;b&#x3e;",
  "<form action=//evil.example/><button formaction=javascript:alert(1)>Log in again</button></form>",
  "<style>*{background:url(//evil.example/)}</style><link rel=stylesheet href=//evil.example/>",
].join("");
