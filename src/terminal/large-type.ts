/** Letters of five by five dots. */
const FONT = `
A .###. #...# ##### #...# #...#
B ####. #...# ####. #...# ####.
C .#### #.... #.... #.... .####
D ####. #...# #...# #...# ####.
E ##### #.... ####. #.... #####
F ##### #.... ####. #.... #....
G .#### #.... #..## #...# .####
H #...# #...# ##### #...# #...#
I .###. ..#.. ..#.. ..#.. .###.
J ..### ...#. ...#. #..#. .##..
K #...# #..#. ###.. #..#. #...#
L #.... #.... #.... #.... #####
M #...# ##.## #.#.# #...# #...#
N #...# ##..# #.#.# #..## #...#
O .###. #...# #...# #...# .###.
P ####. #...# ####. #.... #....
Q .###. #...# #.#.# #..#. .##.#
R ####. #...# ####. #..#. #...#
S .#### #.... .###. ....# ####.
T ##### ..#.. ..#.. ..#.. ..#..
U #...# #...# #...# #...# .###.
V #...# #...# #...# .#.#. ..#..
W #...# #...# #.#.# ##.## #...#
X #...# .#.#. ..#.. .#.#. #...#
Y #...# .#.#. ..#.. ..#.. ..#..
Z ##### ...#. ..#.. .#... #####
0 .###. #..## #.#.# ##..# .###.
1 ..#.. .##.. ..#.. ..#.. .###.
2 ####. ....# .###. #.... #####
3 ####. ....# .###. ....# ####.
4 #..#. #..#. ##### ...#. ...#.
5 ##### #.... ####. ....# ####.
6 .###. #.... ####. #...# .###.
7 ##### ....# ...#. ..#.. ..#..
8 .###. #...# .###. #...# .###.
9 .###. #...# .#### ....# .###.
- ..... ..... .###. ..... .....
`;

const ROWS = 5;
const WIDTH = 6;

/** By whether the upper and the lower half are lit. */
const BLOCKS = [
  [" ", "▄"],
  ["▀", "█"],
] as const;

/**
 * A code in large type, two rows of dots to a line; nothing where it does not fit, or has letters that we cannot draw.
 *
 * @param columns width of the window
 */
export function largeType(code: string, columns: number): string[] {
  const glyphs = new Map(
    FONT.trim()
      .split("\n")
      .map((line) => [line[0] ?? "", line.slice(2).split(" ")] as const),
  );
  const letters = [...code.toUpperCase()].map((letter) =>
    letter === " " ? glyphs.get("-") : glyphs.get(letter),
  );
  if (letters.some((letter) => !letter) || letters.length * WIDTH + 2 > columns) return [];
  const dot = (row: number, column: number) =>
    letters[Math.floor(column / WIDTH)]?.[row]?.[column % WIDTH] === "#";
  const lines: string[] = [];
  for (let row = 0; row < ROWS; row += 2) {
    const blocks = Array.from(
      { length: letters.length * WIDTH },
      (_, column) => BLOCKS[Number(dot(row, column))]?.[Number(dot(row + 1, column))] ?? " ",
    );
    lines.push(`  ${blocks.join("").trimEnd()}`);
  }
  return lines;
}
