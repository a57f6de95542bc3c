/** Every difference between the versions, as one table. */
import { describe, expect, it } from 'vitest';
import * as ProtocolVersion from '../../src/packet/protocol-version.ts';

const { MQTT_3_1, MQTT_3_1_1, MQTT_5_0 } = ProtocolVersion;

it('a version is its protocol level', () => {
  expect([ProtocolVersion.UNKNOWN, MQTT_3_1, MQTT_3_1_1, MQTT_5_0]).toEqual([0, 3, 4, 5]);
  expect(ProtocolVersion.BRIDGE_BIT).toBe(0x80);
});

describe.each<[keyof typeof ProtocolVersion, boolean, boolean, boolean]>([
  //                                 3.1    3.1.1  5.0
  ['isKnown',                        true,  true,  true],
  ['hasProperties',                  false, false, true],
  ['isNamedMQIsdp',                  true,  false, false],
  ['ignoresUnusedHeaderFlags',       true,  false, false], // [MQTT311-2.2.2-2]
  ['allowsDuplicateFlagOnRequests',  true,  false, false], // [MQTT311-3.6.1-1] [MQTT311-3.8.1-1] [MQTT311-3.10.1-1]
  ['ignoresReservedConnectFlag',     true,  false, false], // [MQTT311-3.1.2-3]
  ['ignoresWillFieldsWithoutWill',   true,  false, false], // [MQTT311-3.1.2-11]
  ['toleratesMissingCredentials',    true,  false, false], // [MQTT311-3.1.2-19] [MQTT311-3.1.2-21]
  ['requiresUserNameForPassword',    true,  true,  false], // [MQTT311-3.1.2-22]
  ['limitsClientIdentifierTo23',     true,  false, false], // rule C8
  ['hasConnackFlags',                false, true,  true],  // [MQTT311-3.2.2-2]
  ['hasSubackFailure',               false, true,  true],  // [MQTT311-3.9.3-2]
  ['allowsEmptySubscribe',           true,  false, false], // [MQTT311-3.8.3-3]
  ['allowsDuplicateFlagAtQoS0',      true,  false, false], // [MQTT311-3.3.1-2]
])('%s', (name, in31, in311, in50) => {
  const predicate = ProtocolVersion[name] as (version: number) => boolean;

  it.each([[MQTT_3_1, in31], [MQTT_3_1_1, in311], [MQTT_5_0, in50]])('of level %i is %s', (version, expected) => {
    expect(predicate(version)).toBe(expected);
  });
});

it.each([0, 1, 2, 6, 7, 0x80, 0x83, 0x84, 255])('level %i is not known', level => {
  expect(ProtocolVersion.isKnown(level)).toBe(false);
});

it('an empty Client Identifier is allowed as each version says [MQTT311-3.1.3-6] [MQTT311-3.1.3-7]', () => {
  const allows = ProtocolVersion.allowsEmptyClientIdentifier;
  expect([allows(MQTT_3_1, false), allows(MQTT_3_1, true)]).toEqual([false, false]);
  expect([allows(MQTT_3_1_1, false), allows(MQTT_3_1_1, true)]).toEqual([false, true]);
  expect([allows(MQTT_5_0, false), allows(MQTT_5_0, true)]).toEqual([true, true]);
});

it('has names for people', () => {
  expect([3, 4, 5, 0].map(ProtocolVersion.nameOf)).toEqual(['MQTT 3.1', 'MQTT 3.1.1', 'MQTT 5.0', 'MQTT']);
});
