/** The SDK's module `crypt`, as far as the device uses it, made of Node's. */
import { createHash, type Hash } from 'node:crypto';

export class Digest {
  private hash: Hash = createHash('sha256');

  reset(): void {
    this.hash = createHash('sha256');
  }

  write(data: ArrayBuffer | Uint8Array): void {
    this.hash.update(new Uint8Array(data));
  }

  close(): ArrayBuffer {
    return new Uint8Array(this.hash.digest()).buffer;
  }
}
