/**
 * A configuration with several listeners: the first one says all that holds for every node, the others a port each,
 * with its protocol and certificates.
 */
import type { PartialConfiguration } from '../config/configuration.ts';
import type { Finding, Path } from '../rules/findings.ts';

type Listener = NonNullable<PartialConfiguration['listener']>;

/** What each port has for itself. */
export const OF_A_PORT: ReadonlySet<string> = new Set<keyof Listener>(['port', 'address', 'protocol', 'websockets_origin', 'certfile',
  'keyfile', 'cafile', 'require_certificate', 'psk_file', 'tls_version']);

/** A further one, as a configuration with a single listener. */
interface PortView {
  readonly value: PartialConfiguration;
  /** As that of View. */
  place(path: Path): Path | undefined;
}

interface Ports {
  /** With the first one only. */
  readonly whole: PartialConfiguration;
  readonly further: readonly PortView[];
  readonly findings: readonly Finding[];
  /** Where something of `whole` stands in the file. */
  place(path: Path): Path;
}

/** @param written of the right form */
export function portsOf(written: PartialConfiguration): Ports {
  const listener = written.listener as Listener | readonly Listener[] | undefined;
  if (!Array.isArray(listener))
    return { whole: written, further: [], findings: [], place: path => path };
  const [first = {}, ...others] = listener as readonly Listener[];
  const common = Object.fromEntries(Object.entries(first).filter(([key]) => !OF_A_PORT.has(key)));
  return {
    whole: { ...written, listener: first },
    findings: (listener as readonly Listener[]).flatMap((entry, index) => judge(entry, index, listener)),
    place: ([section, ...rest]) => section === 'listener' ? ['listener', 0, ...rest] : [section!, ...rest],
    further: others.map((entry, index) => ({
      value: { ...written, upstream: {}, topic: [], sensors: [], listener: { ...common, ...entry } },
      place: ([section, key, ...rest]: Path) => section === 'listener' && key !== undefined && OF_A_PORT.has(String(key))
        ? ['listener', index + 1, key, ...rest] : undefined,
    })),
  };
}

function judge(entry: Listener, index: number, all: readonly Listener[]): Finding[] {
  const path: Path = ['listener', index];
  if (Array.isArray(entry))
    return [{ path, text: 'must be an object {...}, not a list [...]; write its entries instead' }];
  if (index === 0)
    return [];
  const common = Object.keys(entry).filter(key => !OF_A_PORT.has(key)).map((key): Finding =>
    ({ path: [...path, key], text: 'holds for all listeners; write it in the first one instead' }));
  if (entry.port === undefined)
    return [...common, { path, text: 'each of several listeners has a port; write for example "port": 8883 as well' }];
  const isSame = (other: Listener): boolean => other.port === entry.port && other.port !== 0
    && (other.address ?? '') === (entry.address ?? '');
  return [...common, ...all.slice(0, index).some(isSame)
    ? [{ path: [...path, 'port'], text: `${entry.port} is the port of another listener; write another one instead` }] : []];
}
