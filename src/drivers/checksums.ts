/** The checksums of the parts' data sheets, over the first bytes of a view, bit by bit: they are a few bytes long. */

/** x^8 + x^5 + x^4 + 1, the highest bit first: Sensirion (from 0xFF), Silicon Labs (from 0). */
const POLYNOMIAL_31 = 0x31;
/** The same, the lowest bit first: 1-Wire. */
const POLYNOMIAL_8C = 0x8C;
/** x^16 + x^15 + x^2 + 1, the lowest bit first: Modbus. */
const POLYNOMIAL_A001 = 0xA001;

/** @param initial of the register: 0xFF or 0 */
export function crc8(bytes: Uint8Array, offset: number, length: number, initial: number): number {
  let crc = initial;
  for (let end = offset + length; offset < end; ++offset) {
    crc ^= bytes[offset]!;
    for (let bit = 8; bit-- > 0;)
      crc = (crc & 0x80) === 0 ? crc << 1 : crc << 1 & 0xFF ^ POLYNOMIAL_31;
  }
  return crc;
}

export function crcOneWire(bytes: Uint8Array, length: number): number {
  let crc = 0;
  for (let offset = 0; offset < length; ++offset) {
    crc ^= bytes[offset]!;
    for (let bit = 8; bit-- > 0;)
      crc = (crc & 1) === 0 ? crc >> 1 : crc >> 1 ^ POLYNOMIAL_8C;
  }
  return crc;
}

/** Sent with its low byte first. */
export function crcModbus(bytes: Uint8Array, length: number): number {
  let crc = 0xFFFF;
  for (let offset = 0; offset < length; ++offset) {
    crc ^= bytes[offset]!;
    for (let bit = 8; bit-- > 0;)
      crc = (crc & 1) === 0 ? crc >> 1 : crc >> 1 ^ POLYNOMIAL_A001;
  }
  return crc;
}
