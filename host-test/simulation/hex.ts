/** Test vectors are hexadecimal with spaces between fields. */

/** @throws Error when `hex` has anything but pairs of digits and white space */
export const bytesOfHex = (hex: string): Uint8Array => {
  const digits = hex.replace(/\s+/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits))
    throw new Error(`not hexadecimal: ${hex}`);
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    parseInt(digits.slice(2 * index, 2 * index + 2), 16));
};

/** Lower case, one space between bytes. */
export const hexOfBytes = (bytes: Iterable<number>): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(' ');
