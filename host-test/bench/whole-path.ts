/**
 * The workloads that are proved on XS, on Node, with sockets that cost next to nothing: what the gateway itself
 * takes.
 */
import { type Engine, workloads } from '../xs/workloads.ts';
import { compare, type Figure } from './figures.ts';

/** The flash that host-test/xs/host.c has. */
const SECTOR = 4096;
const FLASH_LENGTH = 16 * SECTOR;

/** What a socket takes at a time, as host-test/xs/host.c has it. */
const SOCKET_ROOM = 8192;

class MemoryEngine implements Engine {
  readonly resizable = false;
  private bytes = new Uint8Array(1);
  private position = 0;

  feed(bytes: Uint8Array): void {
    this.bytes = bytes.slice();
    this.position = 0;
  }

  /** Over and over again what was fed; a workload mostly reads all of it at once. */
  readonly socketRead = (view: Uint8Array): number => {
    const { bytes } = this;
    if (view.length === bytes.length && this.position === 0)
      view.set(bytes);
    else
      for (let index = 0; index < view.length; ++index) {
        view[index] = bytes[this.position]!;
        this.position = this.position + 1 === bytes.length ? 0 : this.position + 1;
      }
    return view.length;
  };

  readonly socketWrite = (): number => SOCKET_ROOM;

  private readonly flash = new Uint8Array(FLASH_LENGTH);

  readonly flashRead = (view: Uint8Array, offset: number): void => {
    for (let index = 0, { length } = view; index < length; ++index)
      view[index] = this.flash[offset + index]!;
  };

  readonly flashWrite = (view: Uint8Array, offset: number): void => {
    for (let index = 0, { length } = view; index < length; ++index)
      this.flash[offset + index]! &= view[index]!;
  };

  readonly flashErase = (start: number, end: number): void => {
    this.flash.fill(0xFF, start * SECTOR, end * SECTOR);
  };
}

/** @param seconds for each workload */
export function* measureWholePaths(seconds: number): Generator<Figure> {
  for (const workload of workloads) {
    const run = workload.prepare(new MemoryEngine());
    let rounds = 0;
    yield* compare(workload.name, [{
      name: 'ringbridge',
      packetCount: 1,
      run: count => {
        run(count);
        rounds += count;
      },
      result: () => rounds,
    }], seconds);
  }
}
