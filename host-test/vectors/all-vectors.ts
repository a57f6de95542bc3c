/** Every vector, in the order of the specification. */
import { CONNACK_VECTORS, CONNECT_VECTORS } from './connect-vectors.ts';
import { FIVE_SERVER_VECTORS } from './five-server-vectors.ts';
import { FIVE_VECTORS } from './five-vectors.ts';
import { BODILESS_VECTORS, FIXED_HEADER_VECTORS } from './fixed-header-vectors.ts';
import { ACKNOWLEDGEMENT_VECTORS, PUBLISH_VECTORS } from './publish-vectors.ts';
import { SUBACK_VECTORS, SUBSCRIBE_VECTORS, UNSUBSCRIBE_VECTORS } from './subscribe-vectors.ts';
import { TOPIC_FILTER_VECTORS, TOPIC_NAME_VECTORS } from './topic-vectors.ts';
import type { Vector } from './vector.ts';

export const ALL_VECTORS: readonly Vector[] = [
  ...FIXED_HEADER_VECTORS, ...CONNECT_VECTORS, ...CONNACK_VECTORS, ...PUBLISH_VECTORS, ...ACKNOWLEDGEMENT_VECTORS,
  ...SUBSCRIBE_VECTORS, ...SUBACK_VECTORS, ...UNSUBSCRIBE_VECTORS, ...BODILESS_VECTORS, ...TOPIC_NAME_VECTORS,
  ...TOPIC_FILTER_VECTORS, ...FIVE_VECTORS, ...FIVE_SERVER_VECTORS,
];
