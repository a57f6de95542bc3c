/** What both roles of TLS have in common. */

/** From the words of the configuration to those of Node. */
export const TLS_VERSIONS = Object.freeze({ 'tlsv1.2': 'TLSv1.2', 'tlsv1.3': 'TLSv1.3' } as const);

/** RFC 4279, 5487 and 5489, those with fresh keys first; TLS 1.3 has its own, which need not be named. */
export const PSK_CIPHERS = 'kECDHEPSK:kDHEPSK:kPSK:!eNULL:!aNULL';
