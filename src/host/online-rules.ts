/** The topic rules for `ringbridge check --online`: what the broker grants, and with --publish what it takes. */
import type { TopicRuleConfiguration } from '../config/configuration.ts';
import { describeReason } from '../gateway/reason-texts.ts';
import { DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK } from '../packet/control-packet.ts';
import { hasProperties, MQTT_5_0 } from '../packet/protocol-version.ts';
import { SUBACK_FAILURE } from '../packet/subscribe.ts';
import { connectAgain, deadline, type Question, versionOf, type Way } from './online-way.ts';
import type { Report } from './online-report.ts';
import type { ProbeLink } from './probe-link.ts';
import { answerPacket, disconnectPacket, publishPacket, subscribePacket, unsubscribePacket } from './probe-packets.ts';

/** Of all rules together, in milliseconds. */
const LONGEST_PHASE = 60_000;
/** How often a connection that the broker has closed is made again. */
const MOST_RECONNECTIONS = 8;
/** A level of the topic of a probe that stands for "+" and "#". */
const PROBE_LEVEL = 'ringbridge-check';
const PROBE_PAYLOAD = 'a test of "ringbridge check --online --publish"';
const VERSION_TOPIC = '$SYS/broker/version';
/** Milliseconds; a broker without such a topic says nothing. */
const VERSION_PATIENCE = 500;

const LONGEST_NAME = 60;

const NO_MATCHING_SUBSCRIBERS = 0x10;

let packetIdentifier = 0;
const nextIdentifier = (): number => packetIdentifier = packetIdentifier % 65_535 + 1;

/** A connection that is made again when the broker has closed it. */
class Line {
  private link: ProbeLink | undefined;
  private left = MOST_RECONNECTIONS;
  private readonly question: Question;
  private readonly way: Way;
  readonly version: number;
  readonly until = Date.now() + LONGEST_PHASE;

  constructor(question: Question, way: Way, version: number, link: ProbeLink | undefined) {
    this.question = question;
    this.way = way;
    this.version = version;
    this.link = link;
  }

  /** @returns undefined when there is none any more, or no time */
  async get(): Promise<ProbeLink | undefined> {
    if (Date.now() > this.until)
      return undefined;
    if (this.link === undefined && this.left-- > 0)
      this.link = await connectAgain(this.question, this.way, this.version);
    return this.link;
  }

  lose(): void {
    this.link?.close();
    this.link = undefined;
  }

  close(): void {
    this.link?.close(disconnectPacket());
  }
}

/**
 * What Mosquitto and others call themselves; '' when nothing is said. Whoever has no right to ask may lose that
 * connection.
 */
async function nameOfBroker(question: Question, way: Way): Promise<string> {
  const version = versionOf(question.configuration);
  const link = await connectAgain(question, way, version);
  link?.send(subscribePacket(version, nextIdentifier(), VERSION_TOPIC, 0));
  const message = await link?.next([PUBLISH], Date.now() + VERSION_PATIENCE) ?? 'silent';
  link?.close(disconnectPacket());
  return typeof message === 'string' ? ''
    : message.body.subarray(2 + message.body.readUInt16BE(0)).toString('utf8').slice(0, LONGEST_NAME);
}

export async function checkRules(report: Report, question: Question, way: Way): Promise<void> {
  const { configuration } = question;
  const { topic, upstream } = configuration;
  const line = new Line(question, way, versionOf(configuration), way.link);
  const name = await nameOfBroker(question, way);
  if (name !== '')
    report.add('ok', 'broker', name);
  const isMosquitto = name.startsWith('mosquitto');
  const filters = new Map(topic.filter(({ direction }) => direction !== 'out')
    .map(({ pattern, qos, remote_prefix }) => [remote_prefix + pattern, Math.min(qos, upstream.max_qos)]));
  for (const [filter, qos] of filters) {
    const link = await line.get();
    if (link === undefined) {
      report.add('error', 'SUBACK', `"${filter}": not asked for, for the broker does not take this connection any more: see its log`);
      continue;
    }
    const until = Math.min(deadline(configuration), line.until);
    await askForFilter(report, link, line, { filter, qos, isMosquitto, until });
  }
  line.close();
}

interface Wish {
  readonly filter: string;
  readonly qos: number;
  readonly isMosquitto: boolean;
  readonly until: number;
}

async function askForFilter(
  report: Report, link: ProbeLink, line: Line, { filter, isMosquitto, qos, until }: Wish,
): Promise<void> {
  const identifier = nextIdentifier();
  link.send(subscribePacket(line.version, identifier, filter, qos));
  const answer = await link.next([SUBACK], until);
  if (typeof answer === 'string') {
    report.add('error', 'SUBACK', `"${filter}": ${answer === 'closed' ? 'the broker closes the connection instead of an answer'
      : 'no answer in time'}: check the rights of upstream.remote_username for it, and the log of the broker`);
    line.lose();
    return;
  }
  const granted = answer.body[2] ?? SUBACK_FAILURE;
  if (granted >= SUBACK_FAILURE)
    report.add('error', 'SUBACK', `"${filter}": refused: check the rights of upstream.remote_username for it at the broker`);
  else if (granted < qos)
    report.add('warning', 'SUBACK', `"${filter}": granted with QoS ${granted}, and QoS ${qos} was asked for: write "qos": ${granted} in this rule`);
  else
    report.add('ok', 'SUBACK', `"${filter}": granted with QoS ${granted}${isMosquitto ? '; Mosquitto grants also what its acl_file forbids to read, and delivers '
      + 'nothing then' : ''}`);
  link.send(unsubscribePacket(line.version, nextIdentifier(), filter));
}

/**
 * One message for each rule of direction "out".
 * @param speaksFive the broker does: it tells then what 3.1.1 has no code for
 */
export async function publishProbes(report: Report, question: Question, way: Way, speaksFive: boolean): Promise<void> {
  const { topic, upstream } = question.configuration;
  const version = speaksFive ? MQTT_5_0 : versionOf(question.configuration);
  const line = new Line(question, way, version, undefined);
  for (const rule of topic.filter(({ direction }) => direction !== 'in')) {
    const link = await line.get();
    if (link === undefined) {
      report.add('error', 'PUBLISH', `"${probeTopic(rule)}": not sent, for the broker does not take this connection any more: see its log`);
      continue;
    }
    const qos = Math.max(1, Math.min(rule.qos, upstream.max_qos)); // QoS 0 has no answer
    const until = Math.min(deadline(question.configuration), line.until);
    await publishProbe(report, link, line, { topic: probeTopic(rule), payload: PROBE_PAYLOAD, qos, until });
  }
  line.close();
}

/** A topic that the rule makes of some topic of a node. */
const probeTopic = ({ pattern, remote_prefix }: TopicRuleConfiguration): string =>
  (remote_prefix + pattern).replace(/(^|\/)[+#](?=\/|$)/g, `$1${PROBE_LEVEL}`);

interface Probe {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly until: number;
}

async function publishProbe(report: Report, link: ProbeLink, line: Line, probe: Probe): Promise<void> {
  const { qos, topic, until } = probe;
  const identifier = nextIdentifier();
  link.send(publishPacket(line.version, identifier, probe));
  let answer = await link.next([PUBACK, PUBREC, DISCONNECT], until);
  if (typeof answer !== 'string' && answer.type === PUBREC && (answer.body[2] ?? 0) < SUBACK_FAILURE) {
    link.send(answerPacket(PUBREL, identifier));
    answer = await link.next([PUBCOMP, DISCONNECT], until);
  }
  if (typeof answer === 'string' || answer.type === DISCONNECT) {
    const code = typeof answer === 'string' ? '' : ` (${describeReason(answer.body[0] ?? 0)})`;
    report.add('error', 'PUBLISH', `"${topic}" with QoS ${qos}: ${answer === 'silent' ? 'no acknowledgement in time'
      : `the broker closes the connection${code}`}: check the rights of upstream.remote_username, and whether the broker serves QoS ${qos} (upstream.max_qos)`);
    line.lose();
    return;
  }
  const code = answer.body[2] ?? 0;
  if (code >= SUBACK_FAILURE)
    report.add('error', 'PUBLISH', `"${topic}" with QoS ${qos}: refused, ${describeReason(code)}: check the rights of upstream.remote_username for it; `
      + 'in MQTT 3.1.1 the broker acknowledges what it throws away');
  else
    report.add('ok', 'PUBLISH', `"${topic}" with QoS ${qos}: acknowledged${code === NO_MATCHING_SUBSCRIBERS ? '; nobody subscribes to it at the moment' : ''}`
      + `${hasProperties(line.version) ? '' : '; a broker may acknowledge what it throws away, see its log'}`);
}
