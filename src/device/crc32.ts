/**
 * The checksum of IEEE 802.3, four bits at a time: a table of 16 words.
 */

const TABLE: readonly number[] = Object.freeze([
  0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
  0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
]);

/** @param sum of the bytes in front of these */
export function crc32(bytes: Uint8Array, length = bytes.length, sum = 0): number {
  let crc = ~sum;
  for (let at = 0; at < length; ++at) {
    crc ^= bytes[at]!;
    crc = crc >>> 4 ^ TABLE[crc & 15]!;
    crc = crc >>> 4 ^ TABLE[crc & 15]!;
  }
  return ~crc >>> 0;
}
