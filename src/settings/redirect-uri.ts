/**
 * A redirect URI of this machine with another port, all else letter by letter as it was written: some providers take
 * `http://localhost` and `http://localhost/` for two.
 */
export function redirectUriOn(uri: string, port: number): string {
  return uri.replace(/^(http:\/\/(?:\[[^\]]*\]|[^/:]+))(?::\d+)?/, `$1:${port}`);
}
