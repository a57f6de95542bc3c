/**
 * Steps of XS 13.3 per packet, from the socket's callback to the end of the path, for each workload of workloads.ts.
 * Steps are exact and the same on 32 and 64 bits. The test fails when a workload takes more, or more than a tenth
 * less: then the table is old. COSTS.md shows it (npm run figures). A comment says why a row is dearer, by more than a
 * twentieth, than before the layout of today (commit b3cf915, with the same native flash).
 */
export const STEP_BUDGETS: Readonly<Record<string, number>> = {
  'W1': 316,
  'W2': 422,
  // reading what is no prediction is a method of its own: a call for each piece that completes a packet
  'W3': 1717,
  'W4': 613,
  'W5': 230,
  'W6': 501,
  'upstream to node, QoS 0': 1045,
  'upstream to node, QoS 1': 2767,
  'upstream 3.1': 316,
  'upstream QoS 2': 1388,
  // the same: three of the four packets are no prediction
  'upstream, mixed': 2112,
  'upstream burst': 3346,
  'node QoS 0': 425,
  'node QoS 0, 3.1': 425,
  'node QoS 1': 613,
  'node QoS 2': 1440,
  'node PINGREQ': 388,
  'node to upstream, QoS 0': 907,
  'node subscribes': 4651,
  'node, new topics': 4642,
  // a retained message is noted for what is told anew upstream
  'node, retained': 2699,
  // each message has an order counter, a time and a rule, which a queue with two lanes needs
  'node to upstream, QoS 1': 3122,
  // the same
  'node to upstream, QoS 2': 4887,
  'node to node, QoS 0': 1042,
  'node to node, QoS 1': 2767,
  // the same, and two lanes to keep when the oldest message goes
  'queue full': 2924,
  'oversize dropped': 1948,
  // deadlines of acknowledgements, rates per minute and what is to be announced upstream are looked at too
  'keep alive': 3079,
  // what is to be announced and told anew upstream is looked at when a deadline comes
  'sensor': 2173,
  // the same
  'sensor, JSON': 2820,
  // as node to upstream, QoS 1
  'sensor, kept': 4242,
  // take-overs, subscriptions and what is owed to the node are looked at when it goes
  'rejected packet': 3463,
  // filters and retained messages are taken in slices, and what is owed is kept with the subscription
  'server: retained delivery': 6540,
  'server: Will': 3460,
  'server: right known': 620,
  'server: right denied': 547,
  'server: right judged': 6908,
  'server: mount point': 1067,
  // a node that is held keeps its own deadline and is read a packet now and then; and as sensor
  'server: rate limit': 2111,
  'server: $SYS': 21341,
  'server: eight nodes': 34314,
  // a record holds the message itself, rule, time and marks, and is encoded a second time for the queue
  'store append': 8352,
  // the same, and that PUBREC has come is durable before PUBREL goes out
  'store append, QoS 2': 13433,
  // a record is checked whole and encoded by its rule when its turn comes, and looked for in the queue
  'store replay': 13961,
  // what is given up is read whole, for its rule and its expiry
  'store drop': 7913,
  'store drop, latest': 8124,
  'store refuses': 634,
};
