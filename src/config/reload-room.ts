/**
 * The configuration for which memory is laid out where it may be read again: as it is, with more texts of every kind.
 * Each sum is rounded up to a power of two, so that most edits find the room that they need, and the same layout.
 */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from './configuration.ts';
import { DEFAULT_ACCESS, DEFAULT_DEVICE, DEFAULT_SENSOR, DEFAULT_TOPIC_RULE, DEFAULT_WILL } from './defaults.ts';

/** Bytes of a name that is kept for each topic or node: a prefix, a mount point. */
const SHORT = 128;
/** Bytes of texts of which there is one list. */
const LONG = 8192;

/** What is there beside `taken` bytes: at least as much again. */
function roomBeside(taken: number, least: number): number {
  let room = least;
  while (room < 2 * taken)
    room *= 2;
  return room - taken;
}

const longest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, lengthOfUTF8(text)), 0);
const sum = (texts: readonly string[]): number => texts.reduce((total, text) => total + lengthOfUTF8(text), 0);
const blank = (length: number): string => ' '.repeat(length);
/** A text so long that the longest of all is a power of two. */
const longer = (texts: readonly string[]): string => {
  const length = longest(texts);
  return blank(length + roomBeside(length, SHORT));
};

export function withReloadRoom(configuration: Configuration): Configuration {
  const { homeassistant, listener, sensors, topic, upstream } = configuration;
  const prefix = longer(topic.flatMap(({ local_prefix, remote_prefix }) => [local_prefix, remote_prefix]));
  const ruleTexts = topic.flatMap(({ local_prefix, pattern, remote_prefix }) => [local_prefix, pattern, remote_prefix]);
  const mountPoints = listener.users.map(({ mount_point = '' }) => mount_point);
  const mountPoint = longer(mountPoints);
  const userName = longer(listener.users.map(({ username }) => username));
  const right = longer(listener.acl.map(entry => entry.topic));
  const accessTexts = [...listener.users.map(({ username }) => username), ...mountPoints,
    ...listener.acl.map(entry => entry.topic)];
  const { birth, notification_topic, probe, remote_clientid, remote_password, remote_username, will } = upstream;
  const connectTexts = [remote_clientid, remote_password ?? '', remote_username ?? '', will?.topic ?? '',
    will?.payload ?? ''];
  const birthTexts = [birth?.topic ?? '', birth?.payload ?? '', will?.topic ?? '', will?.payload ?? '',
    probe?.topic ?? ''];
  const sensorTexts = sensors.map(sensor => sensor.topic);
  return {
    ...configuration,
    upstream: {
      ...upstream,
      remote_clientid: remote_clientid + blank(roomBeside(sum(connectTexts), LONG)),
      birth: { ...DEFAULT_WILL, topic: blank(roomBeside(sum(birthTexts), LONG)) },
      notifications: true,
      notification_topic: longer([notification_topic]),
    },
    listener: {
      ...listener,
      users: [...listener.users, { username: userName, mount_point: mountPoint }],
      acl: [...listener.acl, { ...DEFAULT_ACCESS, topic: right },
        { ...DEFAULT_ACCESS, topic: '%u/%c' }, { ...DEFAULT_ACCESS, topic: blank(roomBeside(sum(accessTexts), LONG)) }],
    },
    topic: [...topic, { ...DEFAULT_TOPIC_RULE, direction: 'both', local_prefix: prefix, remote_prefix: prefix, expiry: 1,
      pattern: blank(roomBeside(sum(ruleTexts), LONG)) }],
    // A device that needs all that one may have.
    homeassistant: homeassistant && { ...homeassistant, enabled: true,
      discovery_topic: longer([homeassistant.discovery_topic]),
      status_topic: longer([homeassistant.status_topic]),
      devices: [...homeassistant.devices, { ...DEFAULT_DEVICE, name: blank(homeassistant.max_payload) }] },
    sensors: [...sensors, { ...DEFAULT_SENSOR, format: 'json', expire_after: 1,
      topic: blank(roomBeside(sum(sensorTexts), LONG)) }],
  };
}
