/**
 * Steps of XS 13.3 per packet, from the socket's callback to the end of the path, for each workload of workloads.ts.
 * Steps are exact and the same on 32 and 64 bits. The test fails when a workload takes more, or more than a tenth
 * less: then the table is old. COSTS.md shows it (npm run figures). A comment says why a row is dearer, by more than a
 * twentieth, than before the layout of today (commit b3cf915, with the same native flash).
 */
export const STEP_BUDGETS: Readonly<Record<string, number>> = {
  'W1': 317,
  'W2': 423,
  // reading what is no prediction is a method of its own: a call for each piece that completes a packet
  'W3': 1738,
  'W4': 633,
  'W5': 231,
  'W6': 509,
  'upstream to node, QoS 0': 1084,
  'upstream to node, QoS 1': 2801,
  'upstream 3.1': 317,
  'upstream QoS 2': 1420,
  // the same: three of the four packets are no prediction
  'upstream, mixed': 2173,
  'upstream burst': 3347,
  'node QoS 0': 426,
  'node QoS 0, 3.1': 426,
  'node QoS 1': 621,
  'node QoS 2': 1458,
  'node PINGREQ': 389,
  'node to upstream, QoS 0': 921,
  // filters may have options, be answered each with a code, and ask for retained messages or not: MQTT 5.0
  'node subscribes': 5147,
  'node, new topics': 4771,
  // a retained message is noted for what is told anew upstream
  'node, retained': 2885,
  // each message has an order counter, a time and a rule, which a queue with two lanes needs
  'node to upstream, QoS 1': 3247,
  // the same
  'node to upstream, QoS 2': 5049,
  'node to node, QoS 0': 1080,
  'node to node, QoS 1': 2800,
  // the same, and two lanes to keep when the oldest message goes
  'queue full': 3252,
  'oversize dropped': 1951,
  // deadlines of acknowledgements, rates per minute and what is to be announced upstream are looked at too
  'keep alive': 3357,
  // what is to be announced and told anew upstream is looked at when a deadline comes
  'sensor': 2429,
  // the same
  'sensor, JSON': 3076,
  // as node to upstream, QoS 1
  'sensor, kept': 4604,
  // ten parts, each a step on its way, half of them with a reading that goes through a median
  'sensors on buses': 18457,
  // take-overs, subscriptions and what is owed to the node are looked at when it goes
  // and a connection of 5.0 before it may have left limits behind
  'rejected packet': 3714,
  // filters and retained messages are taken in slices, and what is owed is kept with the subscription
  'server: retained delivery': 7366,
  // a Will has properties, and a session an end, which depend on the version
  'server: Will': 3969,
  'server: right known': 642,
  'server: right denied': 564,
  'server: right judged': 7075,
  'server: mount point': 1093,
  // a node that is held keeps its own deadline and is read a packet now and then; and as sensor
  'server: rate limit': 2772,
  'server: $SYS': 21139,
  // whoever is in turn is looked for, and may be another one than last time
  'server: shared': 5298,
  'server: member leaves': 3871,
  // what matches is looked up, and each identifier is written
  'five: identifiers': 4539,
  // of the two packets none is a prediction
  'five: Topic Alias': 4169,
  'server: eight nodes': 34917,
  // a record holds the message itself, rule, time and marks, and is encoded a second time for the queue
  'store append': 8690,
  // the same, and that PUBREC has come is durable before PUBREL goes out
  'store append, QoS 2': 13970,
  // a record is checked whole and encoded by its rule when its turn comes, and looked for in the queue
  'store replay': 15110,
  // what is given up is read whole, for its rule and its expiry
  'store drop': 8173,
  'store drop, latest': 8384,
  'store refuses': 650,
  // the mask is taken off byte by byte, in JavaScript
  'WebSocket: node QoS 0': 2951,
  'WebSocket: node QoS 1': 7406,
  'WebSocket: to node': 1421,
};
