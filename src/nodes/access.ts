/**
 * What a node may read and write, and where in the topic tree it lives.
 *
 * `listener.acl` in Mosquitto's meaning: without a list everything is allowed; with one, what no entry allows is
 * refused, and "deny" wins over everything else, in whatever order they stand. An entry with a user is about that
 * user, one without about every node; `%u` and `%c` stand for user name and Client Identifier. A subscription is
 * granted when there is something in it that the node may read; what it may not read of it is left out at delivery.
 *
 * A user's `mount_point` is put in front of the topics of its nodes, and taken away again on the way back: they see
 * nothing else. Rights are about the full names, as in Mosquitto.
 *
 * A verdict is kept per node and number of the topic table, in the arena, so a message with a known topic costs an
 * array access. Knows no connection.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { equalBytes } from '../bytes/compare.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import { type Message, MessageSpans, type Packet } from '../packet/packet.ts';
import { DOLLAR, LONGEST_TOPIC } from '../packet/topic.ts';
import { filterCovers, filtersOverlap, isValidTopicFilter, matchesTopicFilter } from '../packet/topic-filter.ts';
import { NOT_ABOUT_THIS_NODE, Template, UNFIT_NAME, type PlaceholderValues } from './access-template.ts';
import { isTrusted, lengthOfAccess, longestAccessFilter, longestMountPoint, mountPointOf } from './access-lengths.ts';
import type { AccessConfiguration, ListenerConfiguration } from '../config/configuration.ts';
import type { NodeState } from './node-state.ts';

export const READ = 1;
export const WRITE = 2;
/** Beside each right in a kept verdict: whether it is known. */
const KNOWN_SHIFT = 2;

const EVERYBODY = -2;

class AccessEntry {
  /** Index of the user, or EVERYBODY. */
  readonly user: number;
  readonly template: Template;
  readonly isDenial: boolean;
  readonly rights: number;

  constructor(arena: Arena, offset: number, entry: AccessConfiguration, user: number) {
    this.user = user;
    this.template = new Template(arena, offset, entry.topic);
    this.isDenial = entry.access === 'deny';
    this.rights = entry.access === 'read' ? READ : entry.access === 'write' ? WRITE : READ | WRITE;
  }
}

export interface AccessPlan {
  readonly textsOffset: number;
  readonly filterOffset: number;
  readonly mountedOffset: number;
  readonly verdictsOffset: number;
  readonly mountsOffset: number;
  readonly mountCapacity: number;
  readonly topicCount: number;
}

/** Of two names or filters, where they lie. */
type Comparison = (arena: Arena, ownOffset: number, ownLength: number, offset: number, length: number) => boolean;

/** A node as placeholders see it; filled in again and again. */
class NodeNames implements PlaceholderValues {
  userNameOffset = 0;
  userNameLength = 0;
  identifierOffset = 0;
  identifierLength = 0;
}

export class Access {
  /** The result of `mount`: a topic with its mount point; valid until the next call. */
  readonly mounted = new MessageSpans();
  private readonly arena: Arena;
  private readonly plan: AccessPlan;
  private readonly entries: readonly AccessEntry[];
  private readonly mountPoints: readonly (Template | undefined)[];
  private readonly nodeCount: number;
  /** Index of TRUSTED_USER; EVERYBODY, which no node is: there is none. */
  private readonly trusted: number;
  /** Per node: bytes in front of its topics. */
  readonly mountLengths: Uint16Array;
  private readonly names = new NodeNames();
  private readonly userNameOffsets: number[] = [];
  private readonly userNameLengths: number[] = [];
  /** Where `resolve` has put the filter of an entry. */
  private filterOffset = 0;
  private filterLength = 0;

  /**
   * @returns undefined when everything is allowed to everybody and nobody is moved @param longestTopic bytes that a
   * node can send
   */
  static plan(plan: ArenaPlan, listener: ListenerConfiguration, topicCount: number,
    longestTopic: number): AccessPlan | undefined {
    const { acl, max_sessions } = listener;
    const mountCapacity = longestMountPoint(listener);
    if (acl.length === 0 && mountCapacity === 0)
      return undefined;
    return {
      textsOffset: plan.reserve('access: names and topics', lengthOfAccess(listener)),
      filterOffset: plan.reserve('access: a filter', longestAccessFilter(listener)),
      mountedOffset: plan.reserve('access: a mounted topic', mountCapacity === 0 ? 0 : mountCapacity + longestTopic),
      verdictsOffset: plan.reserve('access: verdicts', acl.length === 0 ? 0 : topicCount * max_sessions),
      mountsOffset: plan.reserve('node: mount point', mountCapacity, max_sessions),
      mountCapacity,
      topicCount,
    };
  }

  /**
   * @throws Error when an entry names a user that is not there, a topic is no filter, or a mount point has wildcards
   */
  constructor(arena: Arena, plan: AccessPlan, listener: ListenerConfiguration) {
    this.arena = arena;
    this.plan = plan;
    this.nodeCount = listener.max_sessions;
    this.trusted = listener.users.some(isTrusted) ? listener.users.findIndex(isTrusted) : EVERYBODY;
    this.mountLengths = new Uint16Array(listener.max_sessions);
    let offset = plan.textsOffset;
    listener.users.forEach(user => {
      const end = encodeUTF8(arena, offset, user.username);
      this.userNameOffsets.push(offset);
      this.userNameLengths.push(end - offset);
      offset = end;
    });
    this.mountPoints = listener.users.map(user => {
      const mountPoint = mountPointOf(user);
      if (/[+#\0]/.test(mountPoint))
        throw new Error(`listener.users: "${mountPoint}" is no mount point; write one without "+" and "#", for example "site/%u/"`);
      const made = mountPoint === '' ? undefined : new Template(arena, offset, mountPoint);
      offset += lengthOfUTF8(mountPoint);
      return made;
    });
    this.entries = listener.acl.map((entry, index) => {
      const user = entry.user === null ? EVERYBODY : listener.users.findIndex(known => known.username === entry.user);
      if (user === -1)
        throw new Error(`listener.acl[${index}].user: there is no user "${entry.user}"; write one of listener.users, or null for every node`);
      // What placeholders stand for is checked when they are filled in.
      const end = encodeUTF8(arena, offset, entry.topic);
      if (!isValidTopicFilter(arena, offset, end - offset))
        throw new Error(`listener.acl[${index}].topic: "${entry.topic}" is no Topic Filter: "+" and "#" stand for whole levels, "#" for the last ones; write for example "site/%u/#"`);
      const made = new AccessEntry(arena, offset, entry, user);
      offset = end;
      return made;
    });
  }

  /**
   * Settles where the topics of a node that has just been named lie. @returns false: its name fits no mount point, so
   * it must not be let in
   */
  enter(node: NodeState): boolean {
    const { bytes } = this.arena;
    const { topicCount, verdictsOffset } = this.plan;
    if (this.entries.length > 0)
      for (let index = 0; index < topicCount; ++index)
        bytes[verdictsOffset + index * this.nodeCount + node.index] = 0;
    const mountPoint = node.user < 0 ? undefined : this.mountPoints[node.user];
    const length = mountPoint === undefined ? 0 : mountPoint.expand(this.mountOffsetOf(node), this.namesOf(node));
    this.mountLengths[node.index] = length < 0 ? 0 : length;
    return length >= 0;
  }

  /** The topic table gives `index` another name. */
  forget(index: number): void {
    const { topicCount, verdictsOffset } = this.plan;
    if (this.entries.length > 0 && index < topicCount)
      this.arena.bytes.fill(0, verdictsOffset + index * this.nodeCount, verdictsOffset + (index + 1) * this.nodeCount);
  }

  /**
   * Puts the mount point in front of a name or filter. @returns false when nothing can be published or subscribed
   * there; else see `mounted`
   */
  mount(node: NodeState, offset: number, length: number): boolean {
    const { bytes } = this.arena;
    const { mounted } = this;
    const to = this.plan.mountedOffset;
    const mountLength = this.mountLengths[node.index]!;
    const mountOffset = this.mountOffsetOf(node);
    // A topic with `$` would become one that `#` matches.
    if (bytes[offset] === DOLLAR || mountLength + length > LONGEST_TOPIC)
      return false;
    bytes.copyWithin(to, mountOffset, mountOffset + mountLength);
    bytes.copyWithin(to + mountLength, offset, offset + length);
    mounted.topicNameOffset = to;
    mounted.topicNameLength = mountLength + length;
    return true;
  }

  private mountOffsetOf(node: NodeState): number {
    return this.plan.mountsOffset + node.index * this.plan.mountCapacity;
  }

  /** As `mount`, for a whole message: the result is in `mounted`. */
  mountMessage(node: NodeState, message: Message): boolean {
    const { mounted } = this;
    mounted.payloadOffset = message.payloadOffset;
    mounted.payloadLength = message.payloadLength;
    mounted.qos = message.qos;
    mounted.retain = message.retain;
    mounted.packetIdentifier = message.packetIdentifier;
    mounted.propertiesOffset = message.propertiesOffset;
    mounted.propertiesLength = message.propertiesLength;
    return this.mount(node, message.topicNameOffset, message.topicNameLength);
  }

  /** Puts the mount point of the node in front of the filter at hand. @returns false when it can have no such filter */
  mountFilter(node: NodeState, packet: Packet): boolean {
    if (this.mountLengths[node.index] === 0)
      return true;
    if (!this.mount(node, packet.topicFilterOffset, packet.topicFilterLength))
      return false;
    packet.topicFilterOffset = this.mounted.topicNameOffset;
    packet.topicFilterLength = this.mounted.topicNameLength;
    return true;
  }

  /** Whether a full name or filter begins with the mount point of the node. */
  isBelow(node: NodeState, offset: number, length: number): boolean {
    const mountLength = this.mountLengths[node.index]!;
    return length >= mountLength && equalBytes(this.arena, offset, this.mountOffsetOf(node), mountLength);
  }

  /** Whether a full name lies inside of the node's mount point, so that something is left when that is taken away. */
  isInside(node: NodeState, nameOffset: number, nameLength: number): boolean {
    const mountLength = this.mountLengths[node.index]!;
    return nameLength > mountLength && this.arena.bytes[nameOffset + mountLength] !== DOLLAR;
  }

  /** @param index number of the full name in the topic table @param right READ or WRITE */
  allows(node: NodeState, index: number, nameOffset: number, nameLength: number, right: number): boolean {
    if (this.entries.length === 0 || node.user === this.trusted)
      return true;
    const { topicCount, verdictsOffset } = this.plan;
    if (index >= topicCount)
      return this.judge(node, nameOffset, nameLength, right, matchesTopicFilter);
    const { bytes } = this.arena;
    const at = verdictsOffset + index * this.nodeCount + node.index;
    const known = bytes[at]!;
    if ((known & right << KNOWN_SHIFT) !== 0)
      return (known & right) !== 0;
    const verdict = this.judge(node, nameOffset, nameLength, right, matchesTopicFilter);
    bytes[at] = known | right << KNOWN_SHIFT | (verdict ? right : 0);
    return verdict;
  }

  /** Whether the node may read anything that matches the full filter. */
  allowsSubscription(node: NodeState, filterOffset: number, filterLength: number): boolean {
    return this.entries.length === 0 || node.user === this.trusted
      || this.judge(node, filterOffset, filterLength, READ, filtersOverlap);
  }

  /**
   * @param isGranted whether the filter of an entry is about the name at `offset`, or overlaps the filter there, all
   * of which an entry that denies must cover
   */
  private judge(node: NodeState, offset: number, length: number, right: number, isGranted: Comparison): boolean {
    const { entries } = this;
    let isAllowed = false;
    for (let index = 0; index < entries.length; ++index) {
      const entry = entries[index]!;
      const found = this.resolve(entry, node);
      if (found === UNFIT_NAME)
        return false;
      const compare = entry.isDenial && isGranted === filtersOverlap ? filterCovers : isGranted;
      if (found === NOT_ABOUT_THIS_NODE || (entry.rights & right) === 0
        || !compare(this.arena, this.filterOffset, this.filterLength, offset, length))
        continue;
      if (entry.isDenial)
        return false;
      isAllowed = true;
    }
    return isAllowed;
  }

  /**
   * Puts the filter of an entry together for one node. @returns 0 or more; NOT_ABOUT_THIS_NODE; or UNFIT_NAME:
   * nothing is allowed to it
   */
  private resolve(entry: AccessEntry, node: NodeState): number {
    if (entry.user !== EVERYBODY && entry.user !== node.user)
      return NOT_ABOUT_THIS_NODE;
    const { template } = entry;
    this.filterOffset = template.offset;
    if (template.isConstant)
      return this.filterLength = template.length;
    this.filterOffset = this.plan.filterOffset;
    return this.filterLength = template.expand(this.filterOffset, this.namesOf(node));
  }

  private namesOf(node: NodeState): NodeNames {
    const { names } = this;
    const hasUser = node.user >= 0;
    names.userNameOffset = hasUser ? this.userNameOffsets[node.user]! : 0;
    names.userNameLength = hasUser ? this.userNameLengths[node.user]! : 0;
    names.identifierOffset = node.identifierOffset;
    names.identifierLength = node.identifierLength;
    return names;
  }
}
