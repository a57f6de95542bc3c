/** What a Server of 5.0 says beside a reason code, for people: kept when a connection ends. */
import { decodeUTF8 } from '../bytes/utf8.ts';
import type { Packet } from '../packet/packet.ts';
import { REASON_STRING, SERVER_REFERENCE } from '../packet/properties.ts';

/** Bytes of each. */
const LONGEST = 200;

/** @returns what the packet at hand says, to be put behind a reason; empty: nothing */
export function serverWords(packet: Packet): string {
  const reason = textOf(packet, REASON_STRING);
  const reference = textOf(packet, SERVER_REFERENCE);
  return (reason === '' ? '' : `; the broker says "${reason}"`)
    + (reference === '' ? '' : `; it names another one: ${reference} (write that in upstream.address if you trust it)`);
}

function textOf({ arena, properties }: Packet, identifier: number): string {
  const offset = properties.valueOf(identifier, 0);
  return offset === 0 ? '' : decodeUTF8(arena, offset, Math.min(arena.view.getUint16(offset - 2), LONGEST));
}
