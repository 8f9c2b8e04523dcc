/** The bytes of an answer, telling how many came so far. */
export async function received(answer: Response, tell: (size: number) => void): Promise<Blob> {
  const type = answer.headers.get("Content-Type") ?? "application/octet-stream";
  const reader = answer.body?.getReader();
  if (!reader) return answer.blob();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts, { type });
    parts.push(value as Uint8Array<ArrayBuffer>);
    size += value.length;
    tell(size);
  }
}
