/** What the tests expect of random-traffic.ts on every engine. */
import {
  PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE,
} from '../../src/packet/control-packet.ts';

/** What random-traffic.ts prints: packets by type, and what should be nothing. */
export interface RandomTraffic {
  readonly sent: readonly number[];
  readonly received: readonly number[];
  readonly slots: number;
  readonly chunkBytes: number;
  readonly collections: number;
  readonly restless: number;
  readonly closed: number;
}

/** So many of each type there have to be, or the traffic says nothing of it. */
export const LEAST_OF_A_TYPE = 50;
const ACKNOWLEDGEMENTS = [PUBACK, PUBREC, PUBREL, PUBCOMP];
export const FROM_PEERS = [PUBLISH, ...ACKNOWLEDGEMENTS, SUBSCRIBE, UNSUBSCRIBE, PINGREQ];
export const TO_PEERS = [PUBLISH, ...ACKNOWLEDGEMENTS, SUBACK, UNSUBACK, PINGRESP];
