/**
 * The way to the broker for `ringbridge check --online`: names, TCP, TLS, WebSocket, and whether it takes this gateway.
 */
import type { Configuration } from '../config/configuration.ts';
import { parseAddress, type UpstreamAddress, urlOf } from '../config/upstream-address.ts';
import { adviceForUpstream } from '../gateway/event-texts.ts';
import { describeReason } from '../gateway/reason-texts.ts';
import { CONNACK } from '../packet/control-packet.ts';
import { hasProperties, MQTT_3_1, MQTT_3_1_1, MQTT_5_0, nameOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { Findings, type Report } from './online-report.ts';
import { ProbeLink } from './probe-link.ts';
import { connectPacket, type Credentials, disconnectPacket } from './probe-packets.ts';
import { HostResolver } from './resolver.ts';

/** Seconds for a name server, for TCP, for TLS; CONNACK has `connack_timeout`, and not more than this. */
const PATIENCE = 5;
const LONGEST_PATIENCE = 10;
/** So many addresses of a name are tried; a name of a cluster has some. */
const MOST_ADDRESSES = 8;
const DAY = 86_400_000;
/** Days that a certificate should still be valid, as in the log of a gateway that runs. */
const SOON = 30;

export interface Question {
  readonly configuration: Configuration;
  readonly credentials: Credentials;
  /** Of the client; each connection has one of its own that begins so. */
  readonly identifier: string;
}

/** A connection on which the broker has said yes. */
export interface Way {
  readonly link: ProbeLink;
  readonly address: UpstreamAddress;
  readonly ip: string;
}

export const versionOf = ({ upstream }: Configuration): number =>
  upstream.bridge_protocol_version === 'mqttv31' ? MQTT_3_1 : MQTT_3_1_1;

/** Milliseconds since 1970 at which CONNACK, and each answer after it, is late. */
export const deadline = ({ upstream }: Configuration): number =>
  Date.now() + 1000 * Math.min(upstream.connack_timeout, LONGEST_PATIENCE);

let connectionCount = 0;
/** At most 23 characters, and of those that every broker takes. */
const nextIdentifier = ({ identifier }: Question): string => `${identifier}${(connectionCount++).toString(36)}`;

/** Tries all addresses of all names, side by side. @returns the first connection that stands; others are ended */
export async function findWay(report: Report, question: Question): Promise<Way | undefined> {
  const names = question.configuration.upstream.address.map(parseAddress);
  const tried = (await Promise.all(names.map(name => tryName(question, name)))).flat();
  const [first, ...others] = tried.flatMap(({ way }) => way ?? []);
  for (const { findings } of tried)
    findings.tell(report, first !== undefined);
  for (const { link } of others)
    link.close(disconnectPacket());
  return first;
}

interface Tried {
  readonly findings: Findings;
  readonly way?: Way;
}

async function tryName(question: Question, address: UpstreamAddress): Promise<readonly Tried[]> {
  const findings = new Findings();
  const started = Date.now();
  const addresses = await resolve(address.host);
  if (addresses.length > 0)
    findings.add('ok', 'resolve', `${address.host}: ${addresses.join(', ')}`);
  else
    findings.add('error', 'resolve', `${address.host}: ${Date.now() - started < PATIENCE * 1000 - 100 ? 'there is no such name'
      : `no answer within ${PATIENCE} seconds`}: check upstream.address, the name server and the network`);
  const tried = addresses.slice(0, MOST_ADDRESSES).map(ip => tryAddress(question, address, ip));
  return [{ findings }, ...await Promise.all(tried)];
}

function resolve(host: string): Promise<readonly string[]> {
  return new Promise(done => {
    const resolver = new HostResolver();
    const timer = setTimeout(() => {
      resolver.cancel();
      done([]);
    }, PATIENCE * 1000);
    const end = (addresses: readonly string[]): void => {
      clearTimeout(timer);
      done(addresses);
    };
    resolver.resolve(host, address => {
      const all = [address];
      for (let next = resolver.next(); next !== undefined; next = resolver.next())
        all.push(next);
      end(all);
    }, () => end([]));
  });
}

async function tryAddress(question: Question, address: UpstreamAddress, ip: string): Promise<Tried> {
  const findings = new Findings();
  const place = `${urlOf(address)} at ${ip}`;
  const { upstream } = question.configuration;
  const started = performance.now();
  const link = await ProbeLink.open(upstream, address, ip, PATIENCE);
  if (!(link instanceof ProbeLink)) {
    if (link.isReachable === true)
      findings.add('ok', 'TCP', place);
    findings.add('error', link.phase, `${place}: ${link.problem}${link.isReachable === null ? '; so TCP, TLS and CONNECT were not tried' : ''}`);
    return { findings };
  }
  findings.add('ok', 'TCP', link.security === undefined ? `${place}: ${Math.ceil(performance.now() - started)} ms` : place);
  if (link.security !== undefined) {
    const { chain, cipher, version } = link.security;
    findings.add('ok', 'TLS', `${place}: ${version} ${cipher}`);
    judgeCertificates(findings, chain, place);
  } else if (question.credentials.password !== null)
    findings.add('warning', 'TLS', `${place}: there is none, and the password crosses the network readable: if the broker has a port with TLS, write ${address.path === undefined ? 'mqtts' : 'wss'}://`);
  if (address.path !== undefined) {
    const problem = await link.upgrade(upstream, address, PATIENCE);
    if (problem !== '') {
      findings.add('error', 'WebSocket', `${place}: ${problem}`);
      return { findings };
    }
    findings.add('ok', 'WebSocket', `${place}: begun, as 101 says, with the subprotocol of MQTT`);
  }
  return await connect(findings, question, { link, address, ip }, place)
    ? { findings, way: { link, address, ip } } : { findings };
}

function judgeCertificates(findings: Findings, chain: readonly { readonly validTo: string }[], place: string): void {
  if (chain.length === 0) // a pre-shared key
    return;
  const expires = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  const days = Math.floor((expires - Date.now()) / DAY);
  findings.add(days <= SOON ? 'warning' : 'ok', 'TLS', `${place}: the broker's certificate, with that of its CA, is valid for ${days} more day${days === 1 ? '' : 's'}, `
    + `until ${new Date(expires).toISOString().slice(0, 10)}${days <= SOON ? ': let its operator renew it' : ''}`);
}

async function connect(
  findings: Findings, question: Question, { address, link }: Way, place: string,
): Promise<boolean> {
  const { configuration, credentials } = question;
  const version = versionOf(configuration);
  const identifier = nextIdentifier(question);
  link.send(connectPacket(version, identifier, credentials));
  const answer = await link.next([CONNACK], deadline(configuration));
  if (typeof answer !== 'string' && answer.body[1] === 0) {
    findings.add('ok', 'CONNECT', `${place}: accepted, with ${nameOf(version)}, as "${identifier}"`);
    return true;
  }
  link.close();
  const { upstream } = configuration;
  if (typeof answer !== 'string') {
    const reason = ReasonCode.fromReturnCode(answer.body[1] ?? 0xFF);
    const isOfIdentifier = reason === ReasonCode.CLIENT_IDENTIFIER_NOT_VALID || reason === ReasonCode.NOT_AUTHORIZED;
    findings.add('error', 'CONNECT', `${place}: refused with code ${answer.body[1]}, ${describeReason(reason)}${adviceForUpstream(reason)}`
      + `${isOfIdentifier ? `. This test calls itself "${identifier}", and the gateway "${upstream.remote_clientid}": if the broker knows that one `
        + 'only, ask with another identifier that it knows (--clientid)' : ''}`);
  } else
    findings.add('error', 'CONNECT', `${place}: ${describeMissing(answer, link.sample, address, configuration)}`);
  return false;
}

/** What does not answer as a broker. */
function describeMissing(
  missing: 'closed' | 'foreign' | 'silent', sample: string, { port, scheme }: UpstreamAddress, { upstream }: Configuration,
): string {
  const isPlain = scheme === 'mqtt';
  const isSecure = scheme === 'mqtts' || scheme === 'wss';
  if (sample.startsWith('HTTP/'))
    return `a web server answers on port ${port}, and no MQTT broker: that of a broker is usually ${isPlain ? 1883 : 8883}; correct upstream.address`;
  if (isPlain && /^\x15\x03/.test(sample)) // an alert
    return `TLS is spoken on port ${port}: write mqtts:// in upstream.address`;
  if (missing === 'foreign')
    return `what answers on port ${port} is no MQTT broker (it says "${sample}"): correct upstream.address`;
  if (missing === 'silent')
    return `no CONNACK within ${Math.min(upstream.connack_timeout, LONGEST_PATIENCE)} seconds: is it an MQTT broker that listens on port ${port}? `
      + `${isPlain ? 'A port of TLS, usually 8883, waits as well: write mqtts:// if it is one' : 'Look into its log'}`;
  return `${describeReason(ReasonCode.CLOSED_BEFORE_CONNACK)}${isPlain ? adviceForUpstream(ReasonCode.CLOSED_BEFORE_CONNACK)
    : `: does it ${!isSecure ? '' : `demand a client certificate (upstream.bridge_certfile)${
      upstream.bridge_certfile === null ? '' : ', or refuse the one that it gets'}, or `}not accept upstream.bridge_protocol_version? See its log`}`;
}

/** Another connection to where the first one stands. @returns undefined when it does not */
export async function connectAgain(question: Question, { address, ip }: Way, version: number):
  Promise<ProbeLink | undefined> {
  const { configuration, credentials } = question;
  const link = await ProbeLink.open(configuration.upstream, address, ip, PATIENCE);
  if (!(link instanceof ProbeLink))
    return undefined;
  if (address.path !== undefined && await link.upgrade(configuration.upstream, address, PATIENCE) !== '')
    return undefined;
  link.send(connectPacket(version, nextIdentifier(question), credentials));
  const answer = await link.next([CONNACK], deadline(configuration));
  if (typeof answer !== 'string' && answer.body[1] === 0)
    return link;
  link.close();
  return undefined;
}

/** Which versions the broker speaks with this gateway. @returns whether 5.0 is one of them */
export async function askForVersions(report: Report, question: Question, way: Way): Promise<boolean> {
  const used = versionOf(question.configuration);
  const spoken = await Promise.all([MQTT_3_1, MQTT_3_1_1, MQTT_5_0].map(async version => {
    if (version === used)
      return version;
    const link = await connectAgain(question, way, version);
    link?.close(disconnectPacket());
    return link === undefined ? undefined : version;
  }));
  const names = spoken.filter(version => version !== undefined).map(nameOf);
  report.add('ok', 'versions', `the broker speaks ${names.join(', ')}`);
  return spoken.some(version => version !== undefined && hasProperties(version));
}
