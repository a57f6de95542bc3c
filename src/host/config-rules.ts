/**
 * What must hold between the values of a configuration, and what a schema cannot say about one of them. Everything here
 * has the right form already. Errors keep the gateway from starting, warnings do not.
 */
import { isIPv4 } from 'node:net';
import { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { type Configuration, parseAddress, type PartialConfiguration, type TopicRuleConfiguration } from '../config/configuration.ts';
import { longestStoredPacket } from '../gateway/packet-limits.ts';
import { blockLengthFor, FEWEST_BLOCKS } from '../store/format.ts';
import { MQTT_3_1, MQTT_3_1_1, limitsClientIdentifierTo23 } from '../packet/protocol-version.ts';
import { isValidTopicName } from '../packet/topic.ts';
import { filtersOverlap, isValidTopicFilter } from '../packet/topic-filter.ts';
import type { Finding, Path } from './config.ts';
import { nearest } from './config-violations.ts';
import { messageOf } from './log.ts';
import { parsePasswordHash } from './password.ts';
import { SENSOR_TYPES } from './platform.ts';

/** Longest string of MQTT, in bytes. */
const LONGEST_STRING = 65_535;
const LONGEST_IDENTIFIER_OF_3_1 = 23;
/** More than any computer should give to a gateway for boards. */
const LARGEST_MEMORY = 1024 * 1024 * 1024;

class Judge {
  readonly errors: Finding[] = [];
  readonly warnings: Finding[] = [];

  error(path: Path, text: string): void {
    this.errors.push({ path, text });
  }

  warn(path: Path, text: string): void {
    this.warnings.push({ path, text });
  }
}

/** @param written what the user wrote, without the defaults that were made of it */
export function judgeConfiguration(configuration: Configuration, written: PartialConfiguration): { errors: readonly Finding[]; warnings: readonly Finding[] } {
  const judge = new Judge();
  judgeStrings(judge, written, []);
  judgeUpstream(judge, configuration);
  judgeListener(judge, configuration);
  judgeUsers(judge, configuration);
  judgeAccess(judge, configuration);
  judgeSensors(judge, configuration);
  judgeStore(judge, configuration);
  judgeMemory(judge, configuration);
  configuration.topic.forEach((rule, index) => judgeRule(judge, rule, ['topic', index]));
  if (judge.errors.length === 0)
    judgeRules(judge, configuration.topic);
  return judge;
}

/** No text of MQTT is longer than its two length bytes can say, and none contains U+0000. */
function judgeStrings(judge: Judge, value: unknown, path: Path): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      judge.error(path, 'must not contain the character U+0000; write it without instead');
    if (lengthOfUTF8(value) > LONGEST_STRING)
      judge.error(path, `is too long; write at most ${LONGEST_STRING} bytes instead`);
  } else if (Array.isArray(value))
    value.forEach((element, index) => judgeStrings(judge, element, [...path, index]));
  else if (typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value))
      judgeStrings(judge, inner, [...path, key]);
}

function judgeUpstream(judge: Judge, { name, upstream }: Configuration): void {
  upstream.address.forEach((address, index) => {
    try {
      parseAddress(address);
    } catch (error) {
      judge.error(['upstream', 'address', index], adviceForAddress(address) ?? messageOf(error).replace(': write', '; write') + ' instead');
    }
  });
  const version = upstream.bridge_protocol_version === 'mqttv31' ? MQTT_3_1 : MQTT_3_1_1;
  const { length } = [...upstream.remote_clientid];
  if (limitsClientIdentifierTo23(version) && (length < 1 || length > LONGEST_IDENTIFIER_OF_3_1))
    judge.error(upstream.remote_clientid === name ? ['name'] : ['upstream', 'remote_clientid'],
      `has ${length} characters, but MQTT 3.1 allows a client identifier of 1 to ${LONGEST_IDENTIFIER_OF_3_1}; write a shorter upstream.remote_clientid, or "bridge_protocol_version": "mqttv311" instead`);
  if (upstream.remote_password !== null && upstream.remote_username === null)
    judge.error(['upstream', 'remote_password'], 'MQTT allows no password without a user name; write "remote_username" as well');
  const [base, cap] = upstream.restart_timeout;
  if (base > cap)
    judge.error(['upstream', 'restart_timeout'], `the shortest wait, ${base}, is longer than the longest, ${cap}; write [${cap}, ${base}] instead`);
  if (upstream.will !== null && upstream.will.topic !== '' && !isTopicName(upstream.will.topic))
    judge.error(['upstream', 'will', 'topic'], `"${upstream.will.topic}" is no Topic Name; write one without "+" and "#" instead`);
}

/** What people write who know other programs. */
function adviceForAddress(address: string): string | undefined {
  if (/^(mqtts|ssl|tls|wss?):/i.test(address))
    return 'only MQTT over plain TCP is spoken in this version; write mqtt://host:port instead';
  if (address.includes('@'))
    return 'an address holds no credentials; write "remote_username" and "remote_password" instead';
  const bare = /^(?:tcp:\/\/)?([A-Za-z0-9._-]+(?::[0-9]{1,5})?)\/?$/.exec(address);
  return bare === null ? undefined : `"${address}" is not an upstream address; write "mqtt://${bare[1]!}" instead`;
}

function judgeListener(judge: Judge, { listener }: Configuration): void {
  const { address } = listener;
  if (!isIPv4(address))
    judge.error(['listener', 'address'], address === 'localhost' ? 'must be an IPv4 address; write "127.0.0.1" instead'
      : `"${address}" is no IPv4 address; write "0.0.0.0" for all addresses of this computer, or "127.0.0.1" for this computer only, instead`);
  if (listener.max_sessions < listener.max_connections)
    judge.error(['listener', 'max_sessions'], `fewer sessions than connections; write ${listener.max_connections} or more instead, or 0 for twice max_connections`);
  if (listener.allow_anonymous && !address.startsWith('127.'))
    judge.warn(['listener', 'allow_anonymous'], `everybody who reaches ${address} may connect; give nodes a user of listener.users, or listen on "127.0.0.1"`);
  if (!listener.allow_anonymous && listener.users.length === 0)
    judge.warn(['listener'], 'no node can connect: there are no users; make one with "ringbridge passwd", or set "allow_anonymous": true');
}

function judgeUsers(judge: Judge, { listener }: Configuration): void {
  const names = new Set<string>();
  listener.users.forEach((user, index) => {
    const path = ['listener', 'users', index];
    const { password, password_hash, username } = user;
    if (username === undefined)
      return; // said already
    if (names.has(username))
      judge.error([...path, 'username'], `"${username}" is there twice; write each user name once instead`);
    names.add(username);
    if (password === undefined && password_hash === undefined)
      judge.error(path, `user "${username}" has no password; write "password_hash": "..." as "ringbridge passwd" prints it`);
    else if (password !== undefined && password_hash !== undefined)
      judge.error([...path, 'password'], 'a user has either a password or a password_hash; write the hash only');
    else if (password !== undefined)
      judge.warn([...path, 'password'], 'the password stands in the file in plain text; make a hash with "ringbridge passwd"');
    if (password_hash !== undefined && parsePasswordHash(password_hash) === undefined)
      judge.error([...path, 'password_hash'], 'is no hash that can be used; write what "ringbridge passwd" prints instead');
  });
}

/** Placeholders are filled with what cannot be a wildcard. */
const withoutPlaceholders = (text: string): string => text.replace(/%[uc]/g, 'x');

function judgeAccess(judge: Judge, { listener }: Configuration): void {
  const names = listener.users.map(({ username }) => username);
  listener.acl.forEach(({ topic, user }, index) => {
    const path = ['listener', 'acl', index];
    if (user !== null && !names.includes(user)) {
      const other = nearest(user, names.filter(name => name !== undefined));
      judge.error([...path, 'user'], `there is no user "${user}"; write ${other === undefined ? 'one of listener.users' : `"${other}"`} instead, or null for every node`);
    }
    if (!isTopicFilter(withoutPlaceholders(topic)))
      judge.error([...path, 'topic'], `"${topic}" is no Topic Filter: "+" and "#" stand for whole levels, "#" for the last ones; write for example "site/%u/#" instead`);
  });
  listener.users.forEach(({ mount_point }, index) => {
    if (mount_point !== undefined && mount_point !== '' && !isTopicName(withoutPlaceholders(mount_point)))
      judge.error(['listener', 'users', index, 'mount_point'], `"${mount_point}" has wildcards; write one without "+" and "#", for example "site/%u/", instead`);
  });
}

/** Sensors at one pin; all others that need a board are at a bus of two. */
const ONE_PIN: readonly string[] = ['analog', 'digital', 'ntc', 'pulse_count', 'serial'];

function wiringOf(type: string): readonly ('pin' | 'data' | 'clock')[] {
  return type.startsWith('simulated') || !SENSOR_TYPES.includes(type) ? [] : ONE_PIN.includes(type) ? ['pin'] : ['data', 'clock'];
}

function judgeSensors(judge: Judge, { sensors }: Configuration): void {
  const names = new Set<string>();
  sensors.forEach((sensor, index) => {
    const { expire_after = 0, interval, name, topic, type } = sensor;
    const path = ['sensors', index];
    if (name !== '' && names.has(name))
      judge.error([...path, 'name'], `"${name}" is there twice; write each name once instead`);
    names.add(name);
    if (type !== '' && !SENSOR_TYPES.includes(type))
      judge.error([...path, 'type'], `there is no sensor type "${type}" on this computer; write "${nearest(type, SENSOR_TYPES) ?? SENSOR_TYPES.join('" or "')}" instead`);
    for (const key of wiringOf(type))
      if (sensor[key] === undefined)
        judge.error(path, `a sensor of type "${type}" needs the key "${key}", a GPIO number; write it as well`);
    if (expire_after > 0 && expire_after <= interval)
      judge.error([...path, 'expire_after'], `${expire_after} is over before the next reading, which comes after ${interval} seconds; write ${interval * 3} instead`);
    if (topic !== '' && topic !== undefined && !isTopicName(topic))
      judge.error([...path, 'topic'], `"${topic}" is no Topic Name; write one without "+" and "#" instead`);
  });
}

function judgeStore(judge: Judge, configuration: Configuration): void {
  const { size, durability } = configuration.store;
  if (configuration.listener.users.some(({ username }) => username === undefined))
    return; // said already
  const least = FEWEST_BLOCKS * blockLengthFor(longestStoredPacket(configuration));
  if (durability === 'flash' && size < least)
    judge.error(['store', 'size'], `${size} bytes are too few for messages as long as listener.max_packet_size allows; write ${least} or more instead`);
}

function judgeMemory(judge: Judge, { listener, memory, store, upstream }: Configuration): void {
  const { topics } = memory;
  if ((topics & topics - 1) !== 0) {
    const smaller = 2 ** Math.floor(Math.log2(topics));
    judge.error(['memory', 'topics'], `${topics} is no power of two; write ${smaller} or ${smaller * 2} instead`);
  }
  const total = store.ram + 4 * upstream.max_packet_size
    + (listener.max_connections + 1) * 2 * Math.max(listener.max_packet_size, listener.max_queued_bytes)
    + listener.max_sessions * listener.max_queued_bytes + 3 * topics * memory.topic_length;
  if (total > LARGEST_MEMORY)
    judge.error(['listener', 'max_queued_bytes'], `the sizes add up to ${Math.ceil(total / 1024 / 1024)} MB; write less here, or fewer max_sessions and max_connections`);
}

function judgeRule(judge: Judge, rule: TopicRuleConfiguration, path: Path): void {
  const { local_prefix, pattern, remote_prefix } = rule;
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (/[+#]/.test(rule[key])) {
      judge.error([...path, key], 'a prefix has no wildcards; write them in "pattern" instead');
      return;
    }
  if (pattern === '') {
    if (local_prefix === '' || remote_prefix === '')
      judge.error([...path, 'pattern'], 'an empty pattern maps one topic to another; write both "local_prefix" and "remote_prefix" as well, or "#" instead');
    return;
  }
  if (!isTopicFilter(pattern)) {
    judge.error([...path, 'pattern'], `"${pattern}" is no Topic Filter: "+" and "#" stand for whole levels, "#" for the last ones; write for example "a/+/b" or "a/#" instead`);
    return;
  }
  for (const key of ['local_prefix', 'remote_prefix'] as const)
    if (!isTopicFilter(rule[key] + pattern))
      judge.error([...path, key], `"${rule[key]}${pattern}" is no Topic Filter; write "${rule[key]}/" instead`);
}

/** Rules that do nothing together, or too much. */
function judgeRules(judge: Judge, rules: readonly TopicRuleConfiguration[]): void {
  if (rules.length === 0)
    judge.warn(['topic'], 'there are no topic rules: nothing crosses the bridge; write for example [{ "pattern": "#", "direction": "out" }]');
  rules.forEach((out, outIndex) => {
    if (out.direction === 'in')
      return;
    if (out.direction === 'both')
      judge.warn(['topic', outIndex, 'direction'], 'what goes out comes back in: nodes that subscribe to what they publish get it twice; use two rules with different topics if that matters');
    rules.forEach((inward, inIndex) => {
      if (inIndex === outIndex || inward.direction === 'out')
        return;
      const remote = inward.remote_prefix + inward.pattern;
      if (overlap(out.remote_prefix + out.pattern, remote))
        judge.warn(['topic', inIndex, 'pattern'], `what rule topic[${outIndex}] sends out comes back in here, as far as it matches "${remote}" at the broker; use topics that do not overlap if that matters`);
    });
  });
}

const isTopicName = (text: string): boolean => isValid(text, isValidTopicName);
const isTopicFilter = (text: string): boolean => isValid(text, isValidTopicFilter);

/** Whether some Topic Name matches both filters. */
function overlap(a: string, b: string): boolean {
  const plan = new ArenaPlan();
  plan.reserve('filters', lengthOfUTF8(a) + lengthOfUTF8(b));
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  const middle = encodeUTF8(arena, 0, a);
  return filtersOverlap(arena, 0, middle, middle, encodeUTF8(arena, middle, b) - middle);
}

/** The core judges bytes where they lie. */
function isValid(text: string, check: typeof isValidTopicName): boolean {
  const plan = new ArenaPlan();
  plan.reserve('text', lengthOfUTF8(text));
  const arena = new Arena(plan, { landingCapacity: 0, stagingCapacity: 0, resizable: false });
  return check(arena, 0, encodeUTF8(arena, 0, text));
}
