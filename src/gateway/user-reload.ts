/**
 * Other users and rights while the gateway runs. A node whose user is gone, or lives at another mount point, is
 * disconnected, and its session ends; one whose password is another one is disconnected, and may come back with that.
 * Everybody else stays, and what it may do is judged anew, from its next packet and the next message for it on:
 * a subscription that is not allowed any more brings nothing, and counts again when it is.
 */
import { hashesOfUsers } from './durable-parts.ts';
import type { ListenerConfiguration } from '../config/configuration.ts';
import { Access } from '../nodes/access.ts';
import { isLimited } from '../nodes/access-lengths.ts';
import type { NodeState } from '../nodes/node-state.ts';
import * as ReasonCode from '../packet/reason-code.ts';
import { CONNECTING } from '../session/connection-state.ts';
import type { Authenticator, Gateway } from './gateway.ts';

const NO_USER = -1;

export interface UserReload {
  /** Undefined: as before. */
  readonly authenticator: Authenticator | undefined;
  /** Names of users whose passwords are others than before. */
  readonly changedPasswords: ReadonlySet<string>;
}

/** @param listener that of the configuration that comes into force; `gateway.configuration` is the old one still */
export function reloadUsers(gateway: Gateway, listener: ListenerConfiguration, reload: UserReload): void {
  const { admission, arena, delivery, nodeSubscriptions, nodes, plans, router, sessions } = gateway;
  const old = gateway.configuration.listener;
  const indices = old.users.map(({ username }) => listener.users.findIndex(user => user.username === username));
  for (const session of sessions)
    if (session.state === CONNECTING) // judged by what does not count any more: the node comes again
      session.refuse(ReasonCode.USERS_RELOADED);
  for (const node of nodes.states)
    if (node.identifierLength !== 0)
      judge(gateway, node, listener, indices, reload);
  const { mountedOffset, textsOffset } = plans!.access;
  arena.bytes.fill(0, textsOffset, mountedOffset);
  const access = router.access = delivery.access = nodeSubscriptions.access =
    isLimited(listener) ? new Access(arena, plans!.access, listener) : undefined;
  admission.authenticator = reload.authenticator ?? admission.authenticator;
  if (gateway.durable !== undefined) {
    gateway.durable.sessions.userHashes = hashesOfUsers(arena, listener);
    gateway.durable.parts.access = access;
    gateway.durable.parts.allowsAnonymous = listener.allow_anonymous;
  }
  for (const node of nodes.states) {
    if (node.identifierLength === 0)
      continue;
    node.user = node.user === NO_USER ? NO_USER : indices[node.user]!;
    if (node.session !== undefined)
      node.session.user = node.user;
    access?.enter(node); // its mount point is as before, so its name fits
  }
  nodes.countAnew(listener.users.length);
  delivery.forgetAudiences();
}

/** Ends what must not go on, while its Will still has the rights of before. */
function judge(gateway: Gateway, node: NodeState, listener: ListenerConfiguration, indices: readonly number[],
  { changedPasswords }: UserReload): void {
  const before = gateway.configuration.listener.users[node.user];
  const after = listener.users[indices[node.user] ?? NO_USER];
  const isGone = before === undefined ? !listener.allow_anonymous
    : after === undefined || (after.mount_point ?? '') !== (before.mount_point ?? '');
  if (!isGone && (before === undefined || !changedPasswords.has(before.username)))
    return;
  node.session?.fail(ReasonCode.ADMINISTRATIVE_ACTION);
  if (!isGone || node.identifierLength === 0) // a clean session has ended with its connection
    return;
  gateway.nodeSubscriptions.removeAll(node);
  gateway.nodes.release(node);
}
