/** What rights and mount points of a configuration need of the memory: computed once, before there is any. */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { ListenerConfiguration, UserConfiguration } from '../config/configuration.ts';
import { Template } from './access-template.ts';

const longest = (lengths: readonly number[]): number => lengths.reduce((most, length) => Math.max(most, length), 0);

/** A user to whom everything is allowed: a part of this program. No node can give this name [MQTT311-1.5.3-2]. */
export const TRUSTED_USER = '\0';
export const isTrusted = ({ username }: UserConfiguration): boolean => username === TRUSTED_USER;

export const mountPointOf = (user: UserConfiguration): string => user.mount_point ?? '';

/** Bytes by which a mount point can lengthen a topic. */
export const longestMountPoint = (listener: ListenerConfiguration): number => longest(listener.users.map(user =>
  mountPointOf(user) === '' ? 0
    : Template.expandedLength(mountPointOf(user), lengthOfUTF8(user.username), listener.max_clientid_length)));

/** Bytes of the names of all users, their mount points, and the topics of their rights. */
export const lengthOfAccess = ({ acl, users }: ListenerConfiguration): number =>
  users.reduce((sum, user) => sum + lengthOfUTF8(user.username) + lengthOfUTF8(mountPointOf(user)), 0)
  + acl.reduce((sum, entry) => sum + lengthOfUTF8(entry.topic), 0);

/** Bytes of the longest filter that rights can become for a node. */
export function longestAccessFilter({ acl, max_clientid_length, users }: ListenerConfiguration): number {
  const longestName = longest(users.map(user => lengthOfUTF8(user.username)));
  return longest(acl.map(entry => Template.expandedLength(entry.topic, longestName, max_clientid_length)));
}

/** Whether anything is forbidden to anybody, or anybody is moved. */
export const isLimited = (listener: ListenerConfiguration): boolean =>
  listener.acl.length > 0 || listener.users.some(user => mountPointOf(user) !== '');
