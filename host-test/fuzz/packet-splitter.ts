/** Cuts what a gateway has sent into packets, without its parser: an independent look at its output. */
import { hexOfBytes } from '../simulation/hex.ts';
import type { Sender } from '../vectors/vector.ts';
import { CLIENT_TYPES, SERVER_TYPES } from '../vectors/run-vector.ts';

export class PacketSplitter {
  private bytes: number[] = [];
  private readonly types: number;

  /** @param sender the role in which the gateway speaks here */
  constructor(sender: Sender) {
    this.types = sender === 'client' ? CLIENT_TYPES : SERVER_TYPES;
  }

  /** @returns the packets that are complete now @throws Error when it is not MQTT */
  push(bytes: Uint8Array): Uint8Array[] {
    this.bytes.push(...bytes);
    const packets: Uint8Array[] = [];
    for (let packet = this.next(); packet; packet = this.next())
      packets.push(packet);
    return packets;
  }

  get restLength(): number {
    return this.bytes.length;
  }

  get rest(): string {
    return hexOfBytes(this.bytes);
  }

  private next(): Uint8Array | undefined {
    const { bytes } = this;
    if (bytes.length > 0 && (this.types >> (bytes[0]! >> 4) & 1) === 0)
      throw new Error(`the gateway has sent what its role must not send: ${this.rest}`);
    let length = 0;
    for (let at = 1; at < 5 && at < bytes.length; ++at) {
      length |= (bytes[at]! & 127) << 7 * (at - 1);
      if (bytes[at]! < 128)
        return bytes.length < at + 1 + length ? undefined : Uint8Array.from(bytes.splice(0, at + 1 + length));
    }
    return undefined;
  }
}
