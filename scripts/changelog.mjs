// The changelog at a release.

/** Whether the changelog tells of a version that is released, or about to be. */
export const tells = (changelog, version) => changelog.includes(`\n## ${version} - `);

/** The changelog with what stands under "Unreleased" moved under the version and its date; undefined where nothing does. */
export function moveUnreleased(changelog, version, date) {
  const heading = "## Unreleased\n";
  const [before, after] = changelog.split(heading);
  if (!after?.split(/^## /m)[0]?.trim()) return undefined;
  return `${before}${heading}\n## ${version} - ${date}\n${after}`;
}
