/**
 * Steps of XS 13.3 per packet, from the socket's callback to the end of the path, for each workload of workloads.ts. Steps
 * are exact and the same on 32 and 64 bits. The test fails when a workload takes more, or more than a tenth less: then the
 * table is old. The README shows it.
 */
export const STEP_BUDGETS: Readonly<Record<string, number>> = {
  'W1': 456,
  'W2': 987,
  'W3': 2624,
  'W4': 919,
  'W5': 412,
  'W6': 732,
  'upstream 3.1': 456,
  'upstream QoS 2': 1585,
  'upstream burst': 4536,
  'node QoS 0': 530,
  'node QoS 0, 3.1': 530,
  'node QoS 1': 806,
  'node QoS 2': 1663,
  'node PINGREQ': 543,
  'node to upstream, QoS 0': 1122,
  'node subscribes': 5120,
  'node, new topics': 5026,
  'node, retained': 2679,
  'node to upstream, QoS 1': 3397,
  'node to upstream, QoS 2': 5189,
  'node to node, QoS 0': 2011,
  'node to node, QoS 1': 4116,
  'queue full': 2206,
  'oversize dropped': 2765,
  'keep alive': 1787,
  'sensor': 2459,
  'rejected packet': 8156,
};
