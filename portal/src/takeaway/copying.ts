/** Copies text; false where the browser does not allow it. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // on pages without https there is no clipboard
  }
}

/** Hands bytes to the browser's downloads. */
export function save(bytes: Blob, name: string): void {
  const link = document.createElement("a");
  const address = URL.createObjectURL(bytes);
  link.href = address;
  link.download = name;
  link.click();
  // the browser reads it after the click
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** The name that an answer gives its file. */
export function nameOf(answer: Response, otherwise: string): string {
  const found = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  return found?.[1] ?? otherwise;
}
