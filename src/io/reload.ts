/**
 * Reads a configuration into a gateway that runs: what takes effect when is in config/reload-effects.ts. Memory
 * stays as it was laid out; what finds no room in it is refused as a whole, and what was there before goes on.
 */
import { changesBetween, type KeyEffect, RECONNECTION, RESTART, withValuesOf } from '../config/reload-effects.ts';
import type { Configuration } from '../config/configuration.ts';
import { parseAddress } from '../config/upstream-address.ts';
import { lengthOfAnnouncements, longestAnnouncement } from '../gateway/announcement-texts.ts';
import { lengthOfConnectTexts, limitConflicts, longestPrefix, longestStoredPacket } from '../gateway/packet-limits.ts';
import { lengthOfFilterTexts } from '../homeassistant/discovery-plan.ts';
import { lengthOfNotifications } from '../gateway/notifications.ts';
import { reloadConnect, reloadGateway, reloadProbe } from '../gateway/reload.ts';
import type { UserReload } from '../gateway/user-reload.ts';
import { lengthOfAccess, longestAccessFilter, longestMountPoint } from '../nodes/access-lengths.ts';
import { reloadSensors } from '../sensors/sensor-reload.ts';
import { lengthOfNames } from '../sensors/sensors.ts';
import { blockLengthFor } from '../store/record-format.ts';
import { lengthOfRules } from '../upstream/topic-map.ts';
import { STOPPED, WAITING } from '../upstream/upstream-phase.ts';
import type { Runtime } from './runtime.ts';

const NOTIFICATIONS: readonly string[] = Object.freeze(['upstream.notifications', 'upstream.notification_topic']);

/** Milliseconds in which DISCONNECT goes out. */
const RECONNECTION_WAIT = 500;

export interface ReloadPlan {
  /** What is in force afterwards. */
  readonly configuration: Configuration;
  /** Keys that change. */
  readonly changes: readonly KeyEffect[];
  /** Keys that do not, with the reason. */
  readonly refusals: readonly { readonly path: string; readonly text: string }[];
}

/** Keys that change together or not at all, and what they need of memory that is laid out. */
interface Group {
  readonly paths: readonly string[];
  readonly needs: readonly ((configuration: Configuration) => number)[];
}

const GROUPS: readonly Group[] = Object.freeze([
  Object.freeze({
    paths: Object.freeze(['topic']),
    needs: Object.freeze([
      (({ topic }) => lengthOfRules('out', topic)),
      (({ topic }) => lengthOfRules('in', topic)),
      longestPrefix,
    ] satisfies Group['needs']),
  }),
  Object.freeze({
    paths: Object.freeze(['listener.users', 'listener.acl', 'listener.allow_anonymous']),
    needs: Object.freeze([
      (({ listener }) => lengthOfAccess(listener)),
      (({ listener }) => longestAccessFilter(listener)),
      (({ listener }) => longestMountPoint(listener)),
    ] satisfies Group['needs']),
  }),
  Object.freeze({
    paths: Object.freeze(['homeassistant.enabled', 'homeassistant.discovery_topic', 'homeassistant.status_topic',
      'homeassistant.allow_restart', 'homeassistant.max_payload', 'homeassistant.devices']),
    needs: Object.freeze([
      lengthOfFilterTexts,
      (({ homeassistant }) => homeassistant?.max_payload ?? 0),
    ] satisfies Group['needs']),
  }),
  Object.freeze({
    paths: Object.freeze(['sensors']),
    needs: Object.freeze([(({ sensors }) => lengthOfNames(sensors))] satisfies Group['needs']),
  }),
  Object.freeze({
    paths: Object.freeze(['upstream.remote_clientid', 'upstream.remote_username', 'upstream.remote_password',
      'upstream.remote_password_file',
      'upstream.will', 'upstream.birth', 'upstream.notifications', 'upstream.notifications_local_only',
      'upstream.notification_topic', 'upstream.probe']),
    needs: Object.freeze([
      lengthOfConnectTexts,
      (({ upstream }) => lengthOfAnnouncements(upstream)),
      (({ upstream }) => longestAnnouncement(upstream)),
      (({ upstream }) => lengthOfNotifications(upstream)),
    ] satisfies Group['needs']),
  }),
]);

/** @param current what is in force @param layout for which memory is laid out @param wanted a valid one */
export function planReload(current: Configuration, layout: Configuration, wanted: Configuration): ReloadPlan {
  const refusals: { path: string; text: string }[] = [];
  const differences = changesBetween(current, wanted);
  const applicable = differences.filter(({ effect }) => effect !== RESTART).map(({ path }) => path);
  for (const { path } of differences.filter(({ effect }) => effect === RESTART))
    refusals.push({ path, text: 'takes effect after a restart' });
  let configuration = withValuesOf(wanted, current, applicable);
  for (const { needs, paths } of GROUPS) {
    const touched = paths.filter(path => applicable.includes(path));
    if (touched.length === 0)
      continue;
    const missing = needs.some(need => need(configuration) > need(layout));
    const conflict = limitConflicts(configuration)[0];
    const isTooLong = blockLengthFor(longestStoredPacket(configuration)) > blockLengthFor(longestStoredPacket(layout));
    if (!missing && conflict === undefined && !isTooLong)
      continue;
    configuration = withValuesOf(current, configuration, paths);
    for (const path of touched)
      refusals.push({ path, text: conflict === undefined || missing
        ? 'needs more memory than was laid out at the start: takes effect after a restart'
        : `${conflict.path.join('.')}: ${conflict.text}` });
  }
  return { configuration, changes: changesBetween(current, configuration), refusals };
}

/** @param plan whose configuration says of users what `users` has the secrets of @throws what a new sensor throws */
export function reloadRuntime(runtime: Runtime, plan: ReloadPlan, users: UserReload): void {
  const changed = new Set(plan.changes.map(({ path }) => path));
  runtime.later(() => {
    const { gateway, sensors } = runtime;
    if (changed.has('sensors'))
      reloadSensors(sensors, gateway, plan.configuration.sensors);
    reloadGateway(gateway, plan.configuration, changed, users);
    reloadUpstream(runtime, changed, plan.changes.some(({ effect }) => effect === RECONNECTION));
  });
}

/** @param isAnew what CONNECT says has changed */
function reloadUpstream({ gateway, upstream }: Runtime, changed: ReadonlySet<string>, isAnew: boolean): void {
  const { address, connack_timeout, restart_timeout: [base, cap] } = gateway.configuration.upstream;
  const { backOff } = upstream;
  const isMoved = changed.has('upstream.address');
  const isUnderWay = upstream.phase !== WAITING && upstream.phase !== STOPPED;
  if (isMoved) {
    upstream.addresses = address.map(parseAddress);
    upstream.addressIndex = 0;
    upstream.versions.forget();
  }
  upstream.connectTimeout = connack_timeout * 1000;
  backOff.base = base * 1000;
  backOff.cap = cap * 1000;
  if (isMoved || isAnew)
    backOff.reset();
  if (isUnderWay && (isMoved || isAnew)) // the next address after the end is this one
    --upstream.addressIndex;
  if (isAnew) {
    if (gateway.upstream.isConnected)
      gateway.upstream.sayFarewell(); // what the Will says, as at a stop
    gateway.upstream.disconnect();
    reloadConnect(gateway);
    if (changed.has('upstream.probe'))
      reloadProbe(gateway);
    if (NOTIFICATIONS.some(path => changed.has(path)))
      gateway.notifications.reload(gateway.configuration.upstream);
  }
  if (isUnderWay && upstream.phase !== WAITING || !isMoved && !isAnew)
    return;
  upstream.address = upstream.addresses[upstream.addressIndex]!;
  if (upstream.phase === STOPPED)
    return;
  upstream.deadline = gateway.clock.now + RECONNECTION_WAIT | 0;
  gateway.clock.request(upstream.deadline);
}
