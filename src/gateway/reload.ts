/**
 * Another configuration for a gateway that runs, within the memory that it has: what of it can take effect. The rest,
 * as config/reload-effects.ts says, is that of before in the configuration that comes here. See io/reload.ts.
 */
import type { Configuration } from '../config/configuration.ts';
import { Announcements } from '../session/announcements.ts';
import { HELD_BY_RATE } from '../session/holds.ts';
import { PublishCredit } from '../session/publish-credit.ts';
import { recountLog, reloadPolicies, reloadRules } from '../upstream/rule-reload.ts';
import { lengthOfAnnouncements, writeAnnouncements } from './announcement-texts.ts';
import type { Gateway } from './gateway.ts';
import { connectFields, lengthOfConnectTexts, longestProperties, longestUpstreamPacket } from './packet-limits.ts';
import { clientSettingsOf, serverSettingsOf } from './settings.ts';
import { reloadUsers, type UserReload } from './user-reload.ts';

/** What rules are made of; a broker of another name may have other limits. */
const OF_RULES: readonly string[] = Object.freeze(['topic', 'upstream.address', 'upstream.profile', 'upstream.max_qos',
  'upstream.max_topic_levels', 'upstream.max_topic_length', 'upstream.bridge_max_packet_size']);

/** @param changed paths of keys whose values are others than before */
export function reloadGateway(gateway: Gateway, configuration: Configuration, changed: ReadonlySet<string>,
  users: UserReload): void {
  const { arena, bridge, durableStore, plans, serverRole, upstream } = gateway;
  const { listener, store } = configuration;
  if (['listener.users', 'listener.acl', 'listener.allow_anonymous'].some(path => changed.has(path)))
    reloadUsers(gateway, listener, users);
  gateway.configuration = configuration;
  Object.assign(upstream.settings, clientSettingsOf(configuration.upstream));
  Object.assign(serverRole.settings, serverSettingsOf(configuration));
  gateway.pressure.fill.longestPacket = longestUpstreamPacket(configuration);
  upstream.replayRate = store.replay_rate;
  bridge.mostProperties = longestProperties(configuration);
  gateway.nodes.dropsOldest = listener.queue_full === 'drop_oldest';
  if (durableStore !== undefined) {
    bridge.refusesUnstored = store.on_failure === 'refuse';
    durableStore.acknowledgesMemory = store.on_failure === 'memory';
    durableStore.nodes.parts.keepsInMemory = store.on_failure === 'memory';
  }
  if (changed.has('listener.max_publish_rate'))
    reloadRate(gateway, listener.max_publish_rate);
  if (changed.has('listener.sys_interval'))
    reloadInterval(gateway, listener.sys_interval * 1000);
  if (OF_RULES.some(path => changed.has(path)))
    reloadRules(arena, bridge, plans!, configuration, durableStore?.backlog);
  else if (changed.has('store.full')) {
    reloadPolicies(bridge, store);
    if (durableStore !== undefined)
      recountLog(durableStore.backlog, bridge.backlog !== undefined);
  }
}

/** What CONNECT says from now on. Only while there is no connection: Keep Alive of one that stands is what it was. */
export function reloadConnect({ arena, configuration, plans, upstream }: Gateway): void {
  const { announcementsOffset, connectOffset, layout } = plans!;
  arena.bytes.fill(0, connectOffset, connectOffset + lengthOfConnectTexts(layout)); // secrets of before as well
  upstream.connect = connectFields(arena, connectOffset, configuration);
  arena.bytes.fill(0, announcementsOffset, announcementsOffset + lengthOfAnnouncements(layout.upstream));
  upstream.announcements = new Announcements(arena); // what was under way is nobody's any more
  writeAnnouncements(upstream.announcements, arena, announcementsOffset, configuration.upstream);
}

/** Of a file that was read just now. Only while there is no connection. */
export function usePassword(gateway: Gateway, remote_password: string): void {
  const { configuration } = gateway;
  const { upstream } = configuration;
  if (upstream.remote_password === remote_password)
    return;
  gateway.configuration = { ...configuration, upstream: { ...upstream, remote_password } };
  reloadConnect(gateway);
}

/** A node that is made to wait is not any longer. */
function reloadRate(gateway: Gateway, rate: number): void {
  const { clock, serverRole: { credits, sessions } } = gateway;
  for (const session of sessions)
    session.release(HELD_BY_RATE);
  credits.length = 0;
  gateway.router.limitsRate = rate !== 0;
  if (rate === 0)
    return;
  for (const session of sessions) {
    const credit = credits[session.index] = new PublishCredit(rate);
    credit.reset(clock.now);
  }
}

function reloadInterval({ clock, systemTopics }: Gateway, interval: number): void {
  systemTopics.isSilent = interval === 0;
  systemTopics.setInterval(interval);
  systemTopics.dueAt = clock.now + systemTopics.interval | 0;
  clock.request(systemTopics.dueAt);
}
