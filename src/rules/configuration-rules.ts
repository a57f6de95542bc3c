/**
 * What must hold between the values of a configuration, and what a schema cannot say about one of them. Everything here
 * has the right form already. What is found here keeps the gateway from starting, on a computer and on a board in the
 * same words; what is worth a warning only is told by `ringbridge check` (host/config-warnings.ts).
 */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration, PartialConfiguration } from '../config/configuration.ts';
import { isAddress, parseAddress } from '../config/upstream-address.ts';
import { leastStoreSize, stateShortage } from '../gateway/state-limits.ts';
import { limitConflicts, longestStoredPacket } from '../gateway/packet-limits.ts';
import { limitsClientIdentifierTo23, versionNamed } from '../packet/protocol-version.ts';
import { blockLengthFor, FEWEST_BLOCKS } from '../store/record-format.ts';
import { judgeAnnouncements } from './announcement-rules.ts';
import { judgeBroker } from './broker-rules.ts';
import { type Finding, Findings, type Path } from './findings.ts';
import { judgeHomeAssistant } from './home-assistant-rules.ts';
import { isIPv6 } from './ip-address.ts';
import { judgeAccess, judgeListener, judgeUsers } from './listener-rules.ts';
import { judgePage } from './page-rules.ts';
import { judgeSensors } from './sensor-rules.ts';
import { judgeClientSecurity, judgeServerSecurity } from './security-rules.ts';
import { judgeRule, judgeUpstreamOf } from './topic-rules.ts';

/** Longest string of MQTT, in bytes. */
const LONGEST_STRING = 65_535;
const LONGEST_IDENTIFIER_OF_3_1 = 23;
/** More than any computer should give to a gateway for boards. */
const LARGEST_MEMORY = 1024 * 1024 * 1024;

/** @param written what the user wrote, without the defaults that were made of it */
export function judgeConfiguration(configuration: Configuration, written: PartialConfiguration): readonly Finding[] {
  const findings = new Findings();
  judgeStrings(findings, written, []);
  if (/[\x01-\x1F\x7F]/.test(configuration.name)) // U+0000 has been told
    findings.add(['name'], 'has a control character, for which brokers close connections; write it without instead');
  judgeUpstream(findings, configuration);
  judgeClientSecurity(findings, configuration);
  judgeAnnouncements(findings, configuration, written);
  judgeBroker(findings, configuration, written);
  judgeListener(findings, configuration);
  judgeServerSecurity(findings, configuration);
  judgeUsers(findings, configuration);
  judgeAccess(findings, configuration);
  judgeSensors(findings, configuration);
  judgeStore(findings, configuration, written);
  judgeMemory(findings, configuration);
  judgePage(findings, configuration);
  if (configuration.listener.users.every(({ username }) => username !== undefined)) // else it has been said already
    limitConflicts(configuration).forEach(({ path, text }) => findings.add(path, text));
  configuration.topic.forEach((rule, index) => {
    judgeRule(findings, rule, ['topic', index]);
    judgeUpstreamOf(findings, rule, ['topic', index], configuration.upstream.name);
  });
  judgeHomeAssistant(findings, configuration);
  return findings.list;
}

/** No text of MQTT is longer than its two length bytes say; none contains U+0000, or what UTF-8 has no bytes for. */
function judgeStrings(findings: Findings, value: unknown, path: Path): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      findings.add(path, 'must not contain the character U+0000; write it without instead');
    if (hasHalfCharacter(value))
      findings.add(path, 'contains half of a character, one of \\uD800 to \\uDFFF without the other; write the '
        + 'character itself instead');
    if (lengthOfUTF8(value) > LONGEST_STRING)
      findings.add(path, `is too long; write at most ${LONGEST_STRING} bytes instead`);
  } else if (Array.isArray(value))
    value.forEach((element, index) => judgeStrings(findings, element, [...path, index]));
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      judgeStrings(findings, inner, [...path, key]);
}

/** One of two surrogates without the other. */
export function hasHalfCharacter(text: string): boolean {
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= 0xD800 && code <= 0xDFFF)
      return true;
  }
  return false;
}

function judgeUpstream(findings: Findings, { name, upstream }: Configuration): void {
  upstream.address.forEach((address, index) => {
    try {
      const { host } = parseAddress(address);
      if (host.startsWith('[') && !isIPv6(host.slice(1, -1)))
        findings.add(['upstream', 'address', index],
          `${host} is no address of IPv6; write one like [2001:db8::1] instead`);
    } catch (error) {
      findings.add(['upstream', 'address', index],
        adviceForAddress(address) ?? (error as Error).message.replace(': write', '; write') + ' instead');
    }
  });
  const version = versionNamed(upstream.bridge_protocol_version);
  const { length } = [...upstream.remote_clientid];
  if (limitsClientIdentifierTo23(version) && (length < 1 || length > LONGEST_IDENTIFIER_OF_3_1))
    findings.add(upstream.remote_clientid === name ? ['name'] : ['upstream', 'remote_clientid'],
      `has ${length} characters, but MQTT 3.1 allows a client identifier of 1 to ${LONGEST_IDENTIFIER_OF_3_1}; write `
        + 'a shorter upstream.remote_clientid, or "bridge_protocol_version": "mqttv311" in upstream, instead');
  if (upstream.remote_password !== null && upstream.remote_username === null)
    findings.add(['upstream', 'remote_password'], 'MQTT allows no password without a user name; write '
      + '"remote_username" as well');
  if (upstream.remote_password_file !== null) {
    if (upstream.remote_password !== null)
      findings.add(['upstream', 'remote_password_file'], 'there are two passwords; leave out "remote_password", or this '
        + 'instead');
    else if (upstream.remote_username === null)
      findings.add(['upstream', 'remote_password_file'], 'MQTT allows no password without a user name; write '
        + '"remote_username" as well');
  }
  const [base, cap] = upstream.restart_timeout;
  if (base > cap)
    findings.add(['upstream', 'restart_timeout'], `the shortest wait, ${base}, is longer than the longest, ${cap}; `
      + `write [${cap}, ${base}] instead`);
}

/** What people write who know other programs. */
function adviceForAddress(address: string): string | undefined {
  if (address.includes('@'))
    return 'an address holds no credentials; write "remote_username" and "remote_password" instead';
  const secure = address.replace(/^(?:ssl|tls|mqtts?\+ssl):\/\//i, 'mqtts://');
  if (secure !== address && isAddress(secure))
    return `"${address}" is not an upstream address; write "${secure}" instead`;
  const numeric = address.replace(/^(?:mqtt|tcp):\/\//i, '').replace(/\/$/, '');
  const brackets = adviceForIPv6(numeric);
  if (brackets !== undefined)
    return `an address of IPv6 stands in brackets; write ${brackets} instead`;
  const bare = /^(?:tcp:\/\/)?([A-Za-z0-9._-]+(?::[0-9]{1,5})?)\/?$/.exec(address);
  const meant = bare === null ? '' : `mqtt://${bare[1]!}`;
  return isAddress(meant) ? `"${address}" is not an upstream address; write "${meant}" instead` : undefined;
}

/** Without brackets nobody can tell a port of four digits from the last group. */
function adviceForIPv6(text: string): string | undefined {
  const [, host = '', port = ''] = /^\[?([^[\]]*?)\]?(?::([0-9]{4,5}))?$/.exec(text) ?? [];
  const withPort = isIPv6(host) ? `mqtt://[${host}]${port === '' ? '' : `:${port}`}` : '';
  const withoutPort = isIPv6(text) ? `mqtt://[${text}]` : '';
  const [first, second] = [withPort, withoutPort].filter((meant, index, all) => isAddress(meant)
    && all.indexOf(meant) === index);
  return second === undefined ? first && `"${first}"` : `"${first!}", or "${second}" if ${port} is no port,`;
}

function judgeStore(findings: Findings, configuration: Configuration, written: PartialConfiguration): void {
  const { size, durability } = configuration.store;
  if (configuration.listener.users.some(({ username }) => username === undefined))
    return; // said already
  const least = FEWEST_BLOCKS * blockLengthFor(longestStoredPacket(configuration));
  if (durability === 'flash' && size < least)
    findings.add(['store', 'size'], `${size} bytes are too few for messages as long as listener.max_packet_size `
      + `allows; write ${Math.max(least, leastStoreSize(configuration, written))} or more instead`);
  else if (durability === 'flash') {
    const shortage = stateShortage(configuration, size, written);
    if (shortage !== undefined)
      findings.add(['store', 'size'], shortage);
  }
}

function judgeMemory(findings: Findings, { listener, memory, store, upstream }: Configuration): void {
  const { topics } = memory;
  if ((topics & topics - 1) !== 0) {
    const smaller = 2 ** Math.floor(Math.log2(topics));
    findings.add(['memory', 'topics'], `${topics} is no power of two; write ${smaller} or ${smaller * 2} instead`);
  }
  const total = store.ram + 4 * upstream.max_packet_size
    + (listener.max_connections + 1) * 2 * Math.max(listener.max_packet_size, listener.max_queued_bytes)
    + listener.max_sessions * listener.max_queued_bytes + 3 * topics * memory.topic_length;
  if (total > LARGEST_MEMORY)
    findings.add(['listener', 'max_queued_bytes'], `the sizes add up to ${Math.ceil(total / 1024 / 1024)} MB; write `
      + 'less here, or fewer max_sessions and max_connections');
}
