/**
 * What is worth a warning in a configuration that can be used: it does nothing, or something that surprises. Told on a
 * computer only, where somebody reads it before a board gets the file.
 */
import { profileOf } from '../config/broker-profiles.ts';
import { brokerNameOf } from '../rules/broker-rules.ts';
import type { Configuration, TopicRuleConfiguration } from '../config/configuration.ts';
import { type Finding, Findings } from '../rules/findings.ts';
import { gatewayStatus, missingFigures } from '../homeassistant/devices.ts';
import { ownAddresses } from './own-listener.ts';
import { quarantineRoom } from '../gateway/state-limits.ts';
import { isWeakHash, parseHashForm } from '../rules/password-hash.ts';
import { overlap } from '../rules/topic-texts.ts';
import { warnOfSecurity } from './security-warnings.ts';

export function warningsOf(configuration: Configuration): readonly Finding[] {
  const findings = new Findings();
  warnOfBroker(findings, configuration);
  ownAddresses(configuration).forEach(index => findings.add(['upstream', 'address', index], 'is the port of this gateway\'s own '
    + 'listener: there is no broker behind it, unless that has taken the port; write another listener.port, or the address of the broker'));
  warnOfSecurity(findings, configuration);
  warnOfListener(findings, configuration);
  warnOfSensors(findings, configuration);
  warnOfRules(findings, configuration.topic);
  warnOfFigures(findings, configuration);
  warnOfStore(findings, configuration);
  warnOfHomeAssistant(findings, configuration);
  return findings.list;
}

/** What the broker does not serve, and the gateway therefore does otherwise. */
function warnOfBroker(findings: Findings, configuration: Configuration): void {
  const { topic, upstream } = configuration;
  const profile = profileOf(upstream.profile, upstream.address[0] ?? '');
  const broker = brokerNameOf(configuration);
  if (upstream.max_qos > profile.qos)
    findings.add(['upstream', 'max_qos'], `${broker} does not serve QoS ${upstream.max_qos}; write ${profile.qos}`);
  topic.forEach(({ qos }, index) => {
    if (qos > upstream.max_qos)
      findings.add(['topic', index, 'qos'], `${broker} does not serve QoS ${qos}, so ${upstream.max_qos} is used `
        + '(upstream.max_qos)');
  });
  if (upstream.will !== null && upstream.will.retain && !profile.retains)
    findings.add(['upstream', 'will', 'retain'], `${broker} keeps no retained messages; write false`);
}

function warnOfListener(findings: Findings, { listener }: Configuration): void {
  const { address, allow_anonymous, users, websockets_origin } = listener;
  if (allow_anonymous && !address.startsWith('127.') && address !== '::1')
    findings.add(['listener', 'allow_anonymous'], `everybody who reaches ${address} may connect; `
      + 'give nodes a user of listener.users, or listen on "127.0.0.1"');
  if (allow_anonymous && websockets_origin.includes('*'))
    findings.add(['listener', 'websockets_origin'], 'every page of the internet that a browser of this network runs may connect, '
      + 'without a password; name the pages instead, or write "allow_anonymous": false');
  if (!allow_anonymous && users.length === 0)
    findings.add(['listener'], 'no node can connect: there are no users; '
      + 'make one with "ringbridge passwd", or set "allow_anonymous": true');
  users.forEach(({ password, password_hash = '' }, index) => {
    const form = parseHashForm(password_hash);
    if (form !== undefined && isWeakHash(form))
      findings.add(['listener', 'users', index, 'password_hash'], 'whoever gets to see this hash finds the password '
        + 'soon, so few steps does it take, or so short is its salt; make another one with "ringbridge passwd"');
    if (password === '')
      findings.add(['listener', 'users', index, 'password'], 'is empty: whoever knows the user name may connect; make '
        + 'a hash of a better one with "ringbridge passwd"');
    else if (password !== undefined)
      findings.add(['listener', 'users', index, 'password'], 'the password stands in the file in plain text; make a '
        + 'hash with "ringbridge passwd"');
  });
}

function warnOfStore(findings: Findings, configuration: Configuration): void {
  const { durability, quarantine: [messages, bytes], size } = configuration.store;
  const room = quarantineRoom(configuration, size);
  if (messages === 0)
    findings.add(['store', 'quarantine'], 'nothing can be set aside: a message that the broker closes the connection for is '
      + 'sent again for ever, every ten minutes in the end, and a node whose message exceeds a limit of the broker loses its '
      + 'connection each time that it sends it; write for example [16, 8192]');
  else if (durability === 'flash' && bytes > room)
    findings.add(['store', 'quarantine'], `a store of ${size} bytes keeps ${room} bytes of messages that are set aside, and `
      + `not ${bytes}; write [${messages}, ${room}], or raise store.size`);
}

function warnOfSensors(findings: Findings, { sensors }: Configuration): void {
  sensors.forEach(({ deadband = 0, filters = [], heartbeat = 0, interval }, index) => {
    if (heartbeat > 0 && deadband === 0 && filters.length === 0)
      findings.add(['sensors', index, 'heartbeat'], 'does nothing without "deadband" or "filters": every reading is published; '
        + 'write that as well');
    else if (heartbeat > 0 && heartbeat < interval)
      findings.add(['sensors', index, 'heartbeat'], `there is a reading every ${interval} seconds only; write `
        + `${interval} or more instead`);
  });
}

/** What Home Assistant cannot show. */
function warnOfHomeAssistant(findings: Findings, configuration: Configuration): void {
  const { homeassistant, upstream } = configuration;
  if (homeassistant?.enabled !== true)
    return;
  if (gatewayStatus(upstream) === undefined)
    findings.add(['upstream', 'will'], 'Home Assistant does not learn that the gateway is gone; leave "will" and "birth" out, or '
      + 'give both the same topic, "retain": true and another payload');
  const missing = missingFigures(configuration);
  if (missing.length > 0)
    findings.add(['homeassistant'], `no rule carries ${missing.map(topic => `"${topic}"`).join(', ')} to the broker, so the gateway `
      + 'has no figures in Home Assistant; write { "pattern": "#", "local_prefix": "$SYS/broker/", "remote_prefix": '
      + `"monitor/${upstream.remote_clientid}/", "qos": 0 } in "topic" as well`);
  if (homeassistant.allow_restart)
    findings.add(['homeassistant', 'allow_restart'], 'does something on a board only');
}

/** Figures of the gateway that go to the broker. */
function warnOfFigures(findings: Findings, { listener, topic }: Configuration): void {
  topic.forEach(({ direction, local_prefix, pattern, remote_prefix }, index) => {
    if (direction === 'in' || !(local_prefix + pattern).startsWith('$SYS'))
      return;
    if (listener.sys_interval === 0)
      findings.add(['topic', index, 'pattern'], 'nothing goes out: the gateway makes no figures while '
        + 'listener.sys_interval is 0; write for example 10 there');
    if ((remote_prefix + pattern).startsWith('$'))
      findings.add(['topic', index, 'remote_prefix'], 'brokers refuse topics that begin with "$", which are their own; '
        + 'write a name of this gateway instead, for example "monitor/greenhouse/"');
  });
}

/** Rules that do nothing together, or too much. */
function warnOfRules(findings: Findings, rules: readonly TopicRuleConfiguration[]): void {
  if (rules.length === 0)
    findings.add(['topic'], 'there are no topic rules: nothing crosses the bridge; '
      + 'write for example [{ "pattern": "#", "direction": "out" }]');
  rules.forEach((out, outIndex) => {
    if (out.direction === 'in')
      return;
    if (out.direction === 'both')
      findings.add(['topic', outIndex, 'direction'], 'what goes out comes back in: nodes that subscribe to what '
        + 'they publish get it twice; use two rules with different topics if that matters');
    rules.forEach((inward, inIndex) => {
      if (inIndex === outIndex || inward.direction === 'out')
        return;
      const remote = inward.remote_prefix + inward.pattern;
      if (overlap(out.remote_prefix + out.pattern, remote))
        findings.add(['topic', inIndex, 'pattern'], `what a node publishes to "${inward.local_prefix}${inward.pattern}" goes out `
          + `by topic[${outIndex}] and comes back from the broker as "${remote}", by this rule: nodes that subscribe to it get it `
          + `twice; if that matters, let topic[${outIndex}] name only what nodes report, for example "sensors/#"`);
    });
  });
}
