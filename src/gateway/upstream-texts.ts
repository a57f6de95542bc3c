/** What was found out about the Server, in words: for the log and the advice. */
import * as Event from '../config/events.ts';
import { PUBACK, PUBCOMP, PUBREC } from '../packet/control-packet.ts';
import { fallBackOf, nameOf } from '../packet/protocol-version.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import * as Experiment from '../upstream/experiments.ts';
import * as Suspect from '../upstream/court.ts';
import type { Gateway } from './gateway.ts';
import { adviceAboutProbe } from './probe-texts.ts';
import { describeCode, describeSetAside } from './quarantine-texts.ts';
import { serverWords } from './server-words.ts';

const ruleName = (gateway: Gateway, rule: number): string =>
  `topic rule "${gateway.bridge.outbound.rules[rule]?.configuration.pattern ?? ''}"`;

/** Who can tell why a connection is lost with nothing under way. */
const whereToLook = ({ configuration: { upstream } }: Gateway): string =>
  `the log of the broker tells whether another client calls itself "${upstream.remote_clientid}"; if it does not, look at `
  + 'the network, and at what lies between';

/** Connections are lost soon after they were made, again and again, with nothing under way. */
export const describeShortSessions = (gateway: Gateway): string =>
  `accepts this gateway, and the connection is lost soon, again and again, with nothing under way; why is not known: ${whereToLook(gateway)}`;

/** Why the Server closes connections, as far as it is established. */
export function describeCause(gateway: Gateway, cause: number, rule: number): string {
  switch (cause) {
    case Suspect.EXAMINED:
      return 'the broker closes the connection, and does not say why: messages are sent one at a time until it is found '
        + 'out for which one';
    case Suspect.CLOSES_IDLE:
      return 'the broker closes the connection when nothing is under way as well, so no message is the cause, and '
        + `the cause is not known; ${whereToLook(gateway)}`;
    case Suspect.NODE_BLAMED:
      return `the broker closes the connection for one message after the other of a node, by ${ruleName(gateway, rule)}: `
        + 'they wait, others go first, and attempts are made less often; check its rights and what it sends';
    case Suspect.RULE_BLAMED:
      return `the broker closes the connection for one message after the other of ${ruleName(gateway, rule)}: they wait, `
        + 'others go first, and attempts are made less often; check the rights of upstream.remote_username below its '
        + 'remote_prefix';
    default:
      return 'the broker closes the connection for different messages of different rules: none is set aside, and attempts '
        + 'are made less often; check its quota, and the rights of upstream.remote_username';
  }
}

function describeDeviation({ configuration: { upstream } }: Gateway, deviation: number): string {
  switch (deviation) {
    case PUBACK:
      return 'the broker answers QoS 2 with PUBACK, as if it were QoS 1: that is taken for delivered, and QoS 1 is used on '
        + 'this connection; set upstream.max_qos to 1';
    case PUBREC:
      return 'the broker answers QoS 1 with PUBREC, as if it were QoS 2: that is taken for delivered';
    case PUBCOMP:
      return 'the broker answers QoS 2 with PUBCOMP before PUBREL: that is taken for delivered; set upstream.max_qos to 1';
    case Experiment.SILENT_ON_QOS_2:
      return 'the broker never answers messages of QoS 2: they go out with QoS 1; set upstream.max_qos to 1, or '
        + 'upstream.profile';
    case Experiment.CLOSES_ON_QOS_2:
      return 'the broker closes the connection on a message of QoS 2: QoS 1 is tried from now on; if it serves no QoS 2, '
        + 'set upstream.max_qos to 1, or upstream.profile';
    case Experiment.WILL_SET_ASIDE:
      return 'the broker closes the connection for the Will of this gateway, and accepts it without: so it has none; '
        + `check upstream.will.topic "${upstream.will?.topic ?? ''}" and the rights for it`;
    case Experiment.BIRTH_SET_ASIDE:
      return 'the broker closes the connection for the birth of this gateway, refuses it or never acknowledges it: it is not said any '
        + `more; check upstream.birth.topic "${upstream.birth?.topic ?? ''}" and the rights for it, or set upstream.birth `
        + 'to null, then restart';
    default:
      return 'the broker says that the session is present, but has forgotten what it had taken (PUBREC): such messages '
        + 'are sent again, so they can arrive twice; set upstream.cleansession to true if it keeps no sessions';
  }
}

/** A message is refused, and sent again. */
function describeRejection(gateway: Gateway, reasonCode: number, rule: number): string {
  const why = `the broker refuses a message of ${ruleName(gateway, rule)}: ${describeCode(reasonCode)}${serverWords(gateway.packet)}`;
  switch (reasonCode) {
    case ReasonCode.QUOTA_EXCEEDED:
      return `${why}; all messages of QoS 1 and 2 wait for a second, then longer, and are sent again; check its quota`;
    case ReasonCode.PACKET_IDENTIFIER_IN_USE:
      return `${why}, which is a fault of this program, or of the session that the broker keeps; it is sent again`;
    default:
      return `${why}; it is sent again after others, and set aside when it is refused ${Suspect.STRIKES} times while others `
        + 'are taken';
  }
}

/** @returns a line of the log */
export function describeUpstreamEvent(gateway: Gateway, event: number, subject: number, detail: number): string {
  if (event === Event.MESSAGE_REJECTED)
    return describeRejection(gateway, detail, subject);
  if (event === Event.VERSION_REFUSED)
    return `the broker does not speak ${nameOf(detail)}: ${nameOf(fallBackOf(detail))} is spoken with it for an hour`;
  if (event === Event.UPSTREAM_CAUSE)
    return describeCause(gateway, detail, subject);
  if (event === Event.BROKER_DEVIATES)
    return describeDeviation(gateway, detail);
  if (event === Event.PROBE)
    return adviceAboutProbe(gateway, gateway.bridge.probe!);
  const { pattern, remote_prefix } = gateway.bridge.inbound.rules[subject]!.configuration;
  return `does not ask for "${remote_prefix}${pattern}" any more: ${describeSetAside(gateway, detail)
    .replaceAll('this message', 'this subscription')}; check the rule, and the rights of upstream.remote_username, `
    + 'then restart';
}
