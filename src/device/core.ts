/**
 * The entry of the bundle `core`: everything that has no side effects and imports nothing of the platform, so that the
 * Moddable linker can preload it into flash. `main`, the tests on XS and other Moddable projects import from it.
 */
export { Arena, ArenaPlan, MemoryShortage } from '../bytes/arena.ts';
export { decodeUTF8, encodeUTF8 } from '../bytes/utf8.ts';
export { completeConfiguration } from '../config/complete-configuration.ts';
export { printable } from '../config/json-characters.ts';
export { placeOf } from '../config/json-places.ts';
export { formatPath } from '../config/schema-paths.ts';
export type { TextSource } from '../config/json-tokens.ts';
export { Validator } from '../config/validator.ts';
export type { Configuration, PartialConfiguration, SensorConfiguration } from '../config/configuration.ts';
export { Gateway } from '../gateway/gateway.ts';
export { type Flash, FlashBlocks } from '../io/flash-blocks.ts';
export { CachedViews, ResizedViews } from '../io/exact-view.ts';
export { describeShortage, firmwareNeeds, objectNeeds, total } from '../io/memory-needs.ts';
export { Link } from '../io/link.ts';
export { NOBODY, Runtime } from '../io/runtime.ts';
export type { Machine } from '../nodes/system-figures.ts';
export type { Platform } from '../io/platform.ts';
export type { RuntimeObserver } from '../io/runtime.ts';
export { describeLoopback, isLoopback, judgeAddresses, judgeSecrets } from '../rules/board-rules.ts';
export { judgeConfiguration } from '../rules/configuration-rules.ts';
export type { Finding } from '../rules/findings.ts';
export { parseHashForm } from '../rules/password-hash.ts';
export { createSimulatedSensor } from '../sensors/simulated-sensors.ts';
export { Packet, RepeatedMessage } from '../packet/packet.ts';
export { PacketParser } from '../packet/packet-parser.ts';
export { TopicTable } from '../packet/topic-table.ts';
export { limitConflicts } from '../gateway/packet-limits.ts';
