/** What a configuration says of the store. */

/** Which message is given up when there is no room. */
export type FullPolicy = 'drop_oldest' | 'drop_newest' | 'latest_per_topic';

export interface StoreConfiguration {
  ram: number;
  path: string;
  size: number;
  durability: 'ram' | 'flash';
  /**
   * What becomes of messages of nodes while the storage does not work: no acknowledgement, or one though they are in
   * memory only.
   */
  on_failure: 'refuse' | 'memory';
  full: FullPolicy;
  /** Messages per second that are sent of those that waited for the connection; 0: any number. */
  replay_rate: number;
  /** Messages and bytes of what the broker will not have: it is set aside and stays until somebody decides. */
  quarantine: readonly [number, number];
  /** For how many messages `ringbridge check` works out how long flash lasts. */
  messages_per_second: MessageRates;
}

export interface MessageRates {
  up: number;
  down: number;
  /** Changes of retained messages. */
  retained: number;
}
