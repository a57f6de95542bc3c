/**
 * TLS towards the nodes: what the listener shows, whom it believes, and the pre-shared keys that it knows. Read at the
 * start and on SIGHUP; connections that stand are not touched.
 */
import { constants } from 'node:crypto';
import type { SecureContextOptions, TlsOptions, TLSSocket } from 'node:tls';
import type { ListenerConfiguration } from '../config/configuration.ts';
import type { CertificateWatch } from './certificate-watch.ts';
import { FileProblem, readCertificates, readKey } from './pem-files.ts';
import { readPEM } from './pem-text.ts';
import { PSK_CIPHERS, TLS_VERSIONS } from './tls-settings.ts';

/** What of the configuration is about TLS. */
export type ServerSettings = Pick<ListenerConfiguration, 'certfile' | 'keyfile' | 'cafile' | 'require_certificate'
  | 'psk_file' | 'tls_version'>;

export const hasTLS = ({ certfile, psk_file }: ServerSettings): boolean => certfile !== null || psk_file !== null;

export class ServerSecurity {
  private readonly settings: ServerSettings;
  private readonly watch: CertificateWatch;
  private keys: ReadonlyMap<string, Buffer> = new Map();
  private readonly section: string;

  /** @param section of the configuration, for messages */
  constructor(settings: ServerSettings, watch: CertificateWatch, section = 'listener') {
    this.settings = settings;
    this.watch = watch;
    this.section = section;
  }

  /** Whether nodes may show certificates. */
  get asksForCertificate(): boolean {
    return this.settings.cafile !== null;
  }

  get requiresCertificate(): boolean {
    return this.settings.require_certificate;
  }

  /** Reads the files anew. @throws FileProblem; what was read before is unchanged then */
  read(): SecureContextOptions {
    const { cafile, certfile, keyfile, psk_file, tls_version } = this.settings;
    const minVersion = TLS_VERSIONS[tls_version];
    if (psk_file !== null) {
      this.keys = readKeys(psk_file);
      return { minVersion, ciphers: PSK_CIPHERS };
    }
    const { section } = this;
    const own = readCertificates(`${section}.certfile`, certfile ?? '');
    const key = readKey(`${section}.keyfile`, keyfile ?? '', own.list[0]!);
    const authorities = cafile === null ? undefined : readCertificates(`${section}.cafile`, cafile);
    this.watch.set(`${section}.certfile`, own.list);
    return { minVersion, cert: own.text, key, ...authorities !== undefined && { ca: authorities.text } };
  }

  /** What of the options of a server does not change. @param onIdentity whose key the peer has to know */
  optionsFor(onIdentity: (socket: TLSSocket, identity: string) => void): TlsOptions {
    return {
      requestCert: this.asksForCertificate,
      // A wrong one is refused by the listener, which can say what is wrong with it.
      rejectUnauthorized: false,
      // Who resumes a session does not say again whose key it knows.
      ...this.settings.psk_file !== null && {
        secureOptions: constants.SSL_OP_NO_TICKET,
        pskCallback: (socket, identity) => {
          const key = this.keys.get(identity);
          if (key !== undefined)
            onIdentity(socket, identity);
          return key ?? null;
        },
      },
    };
  }
}

/** @throws FileProblem that names the line, not what stands in it */
function readKeys(file: string): Map<string, Buffer> {
  const read = readPEM(file);
  if ('problem' in read)
    throw new FileProblem(`listener.psk_file ${file}: ${read.problem}`);
  const keys = new Map<string, Buffer>();
  Buffer.from(read.text, 'latin1').toString('utf8').split(/\r?\n/).forEach((line, index) => {
    if (line === '' || line.startsWith('#'))
      return;
    const [, identity, key] = /^([^:]{1,128}):((?:[0-9A-Fa-f]{2}){1,256})$/.exec(line) ?? [];
    if (identity === undefined || key === undefined)
      throw new FileProblem(`listener.psk_file ${file}: line ${index + 1} is wrong; write identity:key, the key with two hexadecimal `
        + 'digits for each byte');
    keys.set(identity, Buffer.from(key, 'hex'));
  });
  if (keys.size === 0)
    throw new FileProblem(`listener.psk_file ${file}: there is no key in it; write a line identity:key for each node`);
  return keys;
}
