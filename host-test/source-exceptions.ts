/**
 * Functions, or whole files, in the folders of the packet path that allocate: why, and how often. Constructors need no
 * entry: they run once per gateway.
 */
export const ALLOCATION_EXCEPTIONS: Readonly<Record<string, string>> = {
  // Once per gateway, before any packet
  'bytes/arena.ts: ArenaPlan.reserve': 'an entry of the RAM map, once per region at start',
  'bytes/utf8.ts: encodeUTF8': 'texts of the configuration are walked once at start',
  'bytes/utf8.ts: lengthOfUTF8': 'texts of the configuration are measured once at start',
  'nodes/access.ts: Access.plan': 'once at start',
  'nodes/access.ts: longest': 'once at start',
  'nodes/access.ts: longestMountPoint': 'once at start',
  'nodes/access.ts: mountPointOf': 'once at start',
  'nodes/access-template.ts: Template.expandedLength': 'once at start',
  'gateway/settings.ts': 'settings of sessions, once at start',
  'nodes/system-topics.ts: SystemTopics.plan': 'once at start',
  'config/configuration.ts': 'defaults are filled in once at start',
  'config/json-tokens.ts': 'a stored configuration is read once at start',
  'config/json-characters.ts': 'a stored configuration is read once at start',
  'config/validator.ts': 'a stored configuration is judged once at start',
  'config/schema-paths.ts': 'a stored configuration is judged once at start',
  'config/violation-words.ts': 'a stored configuration is refused, once at start',
  'config/nearest-key.ts': 'a stored configuration is refused, once at start',
  'nodes/node-states.ts: NodeStates.plan': 'once at start',
  'gateway/packet-limits.ts': 'sizes and texts of the configuration, once at start',
  'upstream/topic-map.ts: TopicMap.plan': 'once at start',
  'io/runtime.ts: Runtime.listen': 'the callbacks of the listener, once per start',
  'upstream/topic-map.ts: identityOf': 'a number made from the text of a rule, once at start',
  'gateway/durable-store.ts: DurableStore.plan': 'once at start',
  'gateway/durable-store.ts: DurableStore.open': 'at start, and every 30 seconds while there is no storage',
  'store/recovery.ts: openStore': 'tables by the number of blocks, which only the storage knows, once at start',
  'io/store-opening.ts': 'at start, and every 30 seconds while there is no storage',
  'sensors/sensors.ts: Sensors.plan': 'once at start',
  'sensors/sensors.ts: isJSON': 'once per sensor at start',
  'sensors/sensors.ts: Sensors.fail': 'what is wrong with a reading, once when a sensor begins to fail',
  'sensors/simulated-sensors.ts: createSimulatedSensor': 'once per sensor at start',
  // Words for people, when somebody asks or something ends
  'bytes/utf8.ts: decodeUTF8': 'a name for a log line or a status',
  'gateway/event-texts.ts': 'log lines, made by the edge that has a log',
  'store/wear.ts': 'an estimate for ringbridge check',
  'gateway/status.ts': 'the status, when somebody asks for it',
  // Once per connection
  'io/link.ts: Link.accept': 'options for the socket, once per connection',
  'io/link.ts: Link.connect': 'options for the socket, once per connection',
  'io/upstream.ts: Upstream.attempt': 'callbacks for the resolver, once per attempt to connect',
  'io/runtime.ts: Runtime.finishStopping': 'once, when the gateway stops',
  // On Node only, whose collector does not mind
  'io/exact-view.ts: CachedViews.resize': 'a view for each length, the first time it is needed, on Node only',
};
