import { chmodSync, lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { ownUid } from "../files/own-uid.js";
import { isForeign, isPlanted, isSticky, othersMayWrite } from "../files/regular-file.js";

/** What makes a store file somebody else's, too. */
export type Danger =
  /** Others can read it. */
  | { readonly kind: "open"; readonly ours: boolean }
  /** It belongs to another user. */
  | { readonly kind: "foreign"; readonly uid: number }
  /** Others can put another file in its place. */
  | { readonly kind: "replaceable"; readonly folder: string };

const FOR_OTHERS = 0o077;

/**
 * What the person should know of a store file, or have mended; nothing on Windows, whose rights are of another kind.
 *
 * @param stat of the file itself
 */
export function dangersOf(path: string, stat: Stats): Danger[] {
  if (process.platform === "win32") return [];
  const folder = dirname(path);
  const [link, around] = [lstatSync(path), statSync(folder)];
  const dangers: Danger[] = [];
  const ours = isOurs(stat);
  // Whom the owner of another one's file lets read it, is theirs to say: but not that all may.
  if ((stat.mode & (ours ? FOR_OTHERS : 0o007)) !== 0) dangers.push({ kind: "open", ours });
  if (isForeign(stat)) dangers.push({ kind: "foreign", uid: stat.uid });
  if (isReplaceable(around)) dangers.push({ kind: "replaceable", folder });
  const target = link.isSymbolicLink() ? dirname(realpathSync(path)) : folder;
  if (target !== folder && isReplaceable(statSync(target))) {
    dangers.push({ kind: "replaceable", folder: target });
  }
  return dangers;
}

/** Mends what can be mended. @returns what the person should know, to be read behind the path of the store */
export function mend(path: string, danger: Danger): string {
  switch (danger.kind) {
    case "foreign":
      return `belongs to another user (uid ${danger.uid}), who chooses as whom you are logged in.`;
    case "replaceable":
      return `can be replaced by others, who may write to its folder: chmod go-w ${danger.folder}`;
    case "open":
      if (danger.ours && close(path)) return "could be read by others; its mode is now 0600.";
      return "can be read by others, which cannot be changed from here: keep it elsewhere, or chmod 600 it.";
  }
}

function close(path: string): boolean {
  try {
    chmodSync(path, 0o600);
    // Some file systems know no modes, and say nothing.
    return (statSync(path).mode & FOR_OTHERS) === 0;
  } catch {
    return false;
  }
}

function isOurs(stat: Stats): boolean {
  const self = ownUid();
  // Where that is not told it is tried, and said if it failed.
  return self === undefined || stat.uid === self;
}

/**
 * A link that another user put into a folder that all may write to leads where they want.
 *
 * @throws Error
 */
export function refusePlantedLink(path: string): void {
  const link = lstatSync(path, { throwIfNoEntry: false });
  if (process.platform === "win32" || !link?.isSymbolicLink()) return;
  if (isPlanted(link, statSync(dirname(path))))
    throw new Error("another user made that link, in a folder for all");
}

/** In a sticky folder, such as /tmp, nobody but the folder's owner replaces another one's file. */
function isReplaceable(folder: Stats): boolean {
  return isForeign(folder) || (!isSticky(folder) && othersMayWrite(folder));
}
