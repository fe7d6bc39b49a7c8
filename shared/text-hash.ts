/** FNV-1a, 32 bits: the same number for the same text, and far apart for texts that differ in a few letters. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}
