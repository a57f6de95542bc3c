/**
 * Steps of XS 13.3 per packet, from the socket's callback to the end of the path, for each workload of workloads.ts. Steps
 * are exact and the same on 32 and 64 bits. The test fails when a workload takes more, or more than a tenth less: then the
 * table is old. The README shows it.
 */
export const STEP_BUDGETS: Readonly<Record<string, number>> = {
  'W1': 395,
  'W2': 982,
  'W3': 2614,
  'W4': 939,
  'W5': 400,
  'W6': 676,
  'upstream 3.1': 395,
  'upstream QoS 2': 1552,
  'upstream burst': 3860,
  'node QoS 0': 486,
  'node QoS 0, 3.1': 486,
  'node QoS 1': 767,
  'node QoS 2': 1653,
  'node PINGREQ': 543,
  'node to upstream, QoS 0': 1078,
  'node subscribes': 5324,
  'node, new topics': 5186,
  'node, retained': 2821,
  'node to upstream, QoS 1': 3522,
  'node to upstream, QoS 2': 5365,
  'node to node, QoS 0': 2028,
  'node to node, QoS 1': 4308,
  'queue full': 2278,
  'oversize dropped': 3086,
  'keep alive': 2005,
  'sensor': 2597,
  'rejected packet': 8921,
};
