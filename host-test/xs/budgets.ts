/**
 * Steps of XS 13.3 per packet, from the socket's callback to the end of the path, for each workload of workloads.ts. Steps
 * are exact and the same on 32 and 64 bits. The test fails when a workload takes more, or more than a tenth less: then the
 * table is old. The README shows it.
 */
export const STEP_BUDGETS: Readonly<Record<string, number>> = {
  'W1': 406,
  'W2': 993,
  'W3': 2643,
  'W4': 939,
  'W5': 405,
  'W6': 687,
  'upstream 3.1': 406,
  'upstream QoS 2': 1563,
  'upstream burst': 3961,
  'node QoS 0': 491,
  'node QoS 0, 3.1': 491,
  'node QoS 1': 772,
  'node QoS 2': 1658,
  'node PINGREQ': 548,
  'node to upstream, QoS 0': 1083,
  'node subscribes': 5329,
  'node, new topics': 5191,
  'node, retained': 2826,
  'node to upstream, QoS 1': 3532,
  'node to upstream, QoS 2': 5380,
  'node to node, QoS 0': 2033,
  'node to node, QoS 1': 4318,
  'queue full': 2283,
  'oversize dropped': 3091,
  'keep alive': 2010,
  'sensor': 2597,
  'rejected packet': 8921,
};
