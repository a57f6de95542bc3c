/** What must hold for what the gateway says to the broker about itself: Will, birth and notifications. */
import type { Configuration, PartialConfiguration } from '../config/configuration.ts';
import type { Findings } from './findings.ts';
import { isTopicName } from './topic-texts.ts';

export function judgeAnnouncements(
  findings: Findings, { upstream }: Configuration, { upstream: written = {} }: PartialConfiguration,
): void {
  const { notification_topic, notifications, notifications_local_only, probe } = upstream;
  const isGiven = (key: 'birth' | 'will'): boolean => written[key] !== undefined && written[key] !== null;
  const given = isGiven('will') ? 'will' : isGiven('birth') ? 'birth' : undefined;
  if (notifications && !notifications_local_only && given !== undefined)
    findings.add(['upstream', 'notifications'], `the broker keeps one Will for a connection, and notifications need it; `
      + `write "notifications_local_only": true, or leave out "${given}" instead`);
  else {
    judgeTopic('will');
    judgeTopic('birth');
  }
  if (probe !== null && probe.topic !== '' && !isTopicName(probe.topic)) // of none at all the schema says so
    findings.add(['upstream', 'probe', 'topic'], `"${probe.topic}" is no Topic Name; write one without "+" and "#" instead`);
  if (notifications && !isTopicName(notification_topic))
    findings.add(['upstream', written.notification_topic === undefined ? 'remote_clientid' : 'notification_topic'],
      `"${notification_topic}" is no Topic Name; write a "notification_topic" without "+" and "#" instead`);

  function judgeTopic(key: 'birth' | 'will'): void {
    const message = upstream[key];
    if (message === null || !isGiven(key))
      return;
    if (message.topic === '') { // of a Will the schema says so
      if (key === 'birth' && !isGiven('will'))
        findings.add(['upstream', key], 'has no topic; write "topic" as well, or a "will" that has one');
    } else if (!isTopicName(message.topic))
      findings.add(['upstream', key, 'topic'], `"${message.topic}" is no Topic Name; write one without "+" and `
        + '"#" instead');
  }
}
