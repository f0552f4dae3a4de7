/** Black on white whatever the terminal's colours are: that is what cameras expect. */
const BLACK_ON_WHITE = "\u001b[38;5;16;48;5;231m";
const RESET = "\u001b[0m";
/** Longest text (bytes) of the largest QR code (ISO/IEC 18004, version 40, level L). */
const MAX_BYTES = 2953;
/** Rows that the rest of the login takes on the screen. */
const OTHER_ROWS = 20;

export interface Window {
  readonly columns: number;
  readonly rows: number;
}

/**
 * A QR code, two rows of it to a line, or nothing where it does not fit the window.
 *
 * @param window `undefined`: it is shown whatever the size
 */
export async function qrLines(text: string, window: Window | undefined): Promise<string[]> {
  if (Buffer.byteLength(text) > MAX_BYTES) return [];
  const { encode } = await import("uqr");
  const { data } = encode(text, { ecc: "L", border: 2 });
  const width = data.length;
  const fits = !window || (width <= window.columns && Math.ceil(width / 2) + OTHER_ROWS <= window.rows);
  if (!fits) return [];
  const lines: string[] = [];
  for (let row = 0; row < width; row += 2) {
    const blocks = (data[row] ?? []).map(
      (top, column) => BLOCKS[Number(top)]?.[Number(data[row + 1]?.[column] ?? false)],
    );
    lines.push(`${BLACK_ON_WHITE}${blocks.join("")}${RESET}`);
  }
  return lines;
}

/** By whether the upper and the lower half are dark. */
const BLOCKS = [
  [" ", "▄"],
  ["▀", "█"],
] as const;
