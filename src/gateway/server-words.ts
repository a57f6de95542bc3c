/** What a Server of 5.0 says beside a reason code, for people: kept when a connection ends. */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { PREFIX_LENGTH } from '../packet/data-representation.ts';
import type { Packet } from '../packet/packet.ts';
import { findProperty, REASON_STRING, SERVER_REFERENCE } from '../packet/properties.ts';

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
  const at = properties.has(identifier) ? findProperty(arena, properties.offset, properties.end, identifier) : -1;
  return at < 0 ? '' : decodeUTF8(arena, at + PREFIX_LENGTH, Math.min(arena.view.getUint16(at), LONGEST));
}
