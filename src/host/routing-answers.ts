/** What routing.ts answers: where a message goes, why not, and who may read it. */
import type { StorePolicy } from '../upstream/full-policy.ts';
import type { Flaw } from './topic-flaws.ts';

/** A node; `user` null: one without user name. */
export interface Sender {
  readonly user: string | null;
  readonly clientid: string;
}

/**
 * Why nobody gets a message of a node: nodes without user may not connect; a right is missing; its name, or the topic,
 * fits no mount point; the topic is $SYS/...; or it has characters for which the node loses its connection.
 */
export type Refusal = 'anonymous' | 'acl' | 'name' | 'mount_point' | 'system' | Flaw;

/** What crosses by a rule. */
export interface Crossing {
  /** Position of the rule in `topic` of the configuration. */
  readonly rule: number;
  readonly name: string;
  readonly qos: number;
}

export interface Outgoing {
  /** Undefined: it is taken. */
  readonly refusal: Refusal | undefined;
  /** Under its mount point. */
  readonly localName: string;
  /** Undefined: it stays here. */
  readonly upstream: Crossing & { readonly policy: StorePolicy } | undefined;
  /** A rule that matches, but whose name would be too long, or empty. */
  readonly unfitRule: number | undefined;
  /** A rule that matches, and why the broker is known not to take the message (upstream/quarantine-reasons.ts). */
  readonly unsent: Unsent | undefined;
  /** What the broker sends back of it. */
  readonly echo: Crossing | undefined;
}

export interface Unsent {
  readonly rule: number;
  readonly reason: number;
  /** Of a message that must arrive; another one is dropped. */
  readonly isSetAside: boolean;
}

/** One who may read a message, and the name under which it gets it. */
export interface Reader {
  readonly user: string | null;
  readonly name: string;
}
