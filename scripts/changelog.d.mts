export function tells(changelog: string, version: string): boolean;
export function moveUnreleased(changelog: string, version: string, date: string): string;
