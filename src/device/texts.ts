/**
 * Texts as bytes of UTF-8 and back, by what XS has for it.
 */
import type { TextSource } from '../config/json-tokens.ts';

export function encodeText(text: string): Uint8Array {
  return new Uint8Array(ArrayBuffer.fromString(text));
}

/** Without a byte order mark. */
export function readText(source: TextSource): string {
  const bytes = new Uint8Array(source.length);
  source.read(bytes, 0);
  const text = String.fromArrayBuffer(bytes.buffer);
  return text.charCodeAt(0) === 0xFEFF ? text.slice(1) : text;
}

export const sourceOf = (bytes: Uint8Array): TextSource => ({
  length: bytes.length,
  read: (target, offset) => target.set(bytes.subarray(offset, offset + target.length)),
});
