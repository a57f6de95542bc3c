/**
 * Everything that differs between MQTT 3.1, 3.1.1 and 5.0, as predicates. The rest of the program asks here and never
 * compares a version itself. The value of a version is its protocol level on the wire.
 *
 * 3.1 has no numbered statements: [MQTT31-section] names its chapter.
 */

/** Before CONNECT has been read, a Server does not know. */
export const UNKNOWN = 0;
export const MQTT_3_1 = 3;
export const MQTT_3_1_1 = 4;
export const MQTT_5_0 = 5;

/** @param name Mosquitto's, as it stands in a configuration */
export const versionNamed = (name: 'mqttv31' | 'mqttv311' | 'mqttv50'): number =>
  name === 'mqttv31' ? MQTT_3_1 : name === 'mqttv50' ? MQTT_5_0 : MQTT_3_1_1;

/** Which is tried when a Server does not speak this one; the same: there is none. */
export const fallBackOf = (version: number): number => version === MQTT_5_0 ? MQTT_3_1_1 : version;

/** Mosquitto's bridges set this bit of the protocol level ("try_private"); the rest of the byte is the level. */
export const BRIDGE_BIT = 0x80;

/** Protocol Names, by the length that precedes them: [MQTT31-3.1] "MQIsdp", [MQTT311-3.1.2-1] "MQTT". */
export const isKnown = (level: number): boolean => level >= MQTT_3_1 && level <= MQTT_5_0;

/**
 * 5.0: packets carry properties, acknowledgements reason codes, subscriptions options; both sides tell the limits that
 * the other one has to keep, and either may say DISCONNECT.
 */
export const hasProperties = (version: number): boolean => version === MQTT_5_0;

/** "MQIsdp" is 3.1 and only 3.1; every later level is called "MQTT". */
export const isNamedMQIsdp = (version: number): boolean => version === MQTT_3_1;

export const nameOf = (version: number): string =>
  version === MQTT_3_1 ? 'MQTT 3.1'
    : version === MQTT_3_1_1 ? 'MQTT 3.1.1' : version === MQTT_5_0 ? 'MQTT 5.0' : 'MQTT';

/**
 * 3.1: DUP, QoS and RETAIN are "not used" in the fixed header of every packet but PUBLISH, PUBREL, SUBSCRIBE and
 * UNSUBSCRIBE; later versions fix them to 0 [MQTT311-2.2.2-1].
 */
export const ignoresUnusedHeaderFlags = (version: number): boolean => version === MQTT_3_1;

/** 3.1 lets a Client repeat PUBREL, SUBSCRIBE and UNSUBSCRIBE with DUP set [MQTT31-4.2]. */
export const allowsDuplicateFlagOnRequests = (version: number): boolean => version === MQTT_3_1;

/** Bit 0 of the connect flags: unused in 3.1, since then it must be 0 [MQTT311-3.1.2-3]. */
export const ignoresReservedConnectFlag = (version: number): boolean => version === MQTT_3_1;

/** Will QoS and Will RETAIN without a Will: 3.1 disregards them, since then they must be 0 [MQTT311-3.1.2-11]. */
export const ignoresWillFieldsWithoutWill = (version: number): boolean => version === MQTT_3_1;

/** 3.1: a flag may announce a user name or password that the payload does not hold; Remaining Length wins. */
export const toleratesMissingCredentials = (version: number): boolean => version === MQTT_3_1;

/** 3.1 ("not valid") and 3.1.1 forbid a password without a user name [MQTT311-3.1.2-22]; 5.0 allows it. */
export const requiresUserNameForPassword = (version: number): boolean => version === MQTT_3_1 || version === MQTT_3_1_1;

/** 3.1: 1 to 23 characters, always. Later: what the Server's configuration allows. */
export const limitsClientIdentifierTo23 = (version: number): boolean => version === MQTT_3_1;

/** An empty identifier asks the Server for one: 3.1.1 with Clean Session [MQTT311-3.1.3-6], 5.0 always. */
export const allowsEmptyClientIdentifier = (version: number, cleanStart: boolean): boolean =>
  version === MQTT_5_0 || version === MQTT_3_1_1 && cleanStart;

/** The first byte of CONNACK: reserved in 3.1, flags with Session Present since 3.1.1 [MQTT311-3.2.2-2]. */
export const hasConnackFlags = (version: number): boolean => version !== MQTT_3_1;

/** 3.1 knows no failure code in SUBACK; a refused subscription is granted and stays silent. */
export const hasSubackFailure = (version: number): boolean => version !== MQTT_3_1;

/** 3.1 does not rule out a SUBSCRIBE without a topic; since 3.1.1 it is a protocol violation [MQTT311-3.8.3-3]. */
export const allowsEmptySubscribe = (version: number): boolean => version === MQTT_3_1;

/** DUP with QoS 0: not ruled out in 3.1, forbidden since [MQTT311-3.3.1-2]. */
export const allowsDuplicateFlagAtQoS0 = (version: number): boolean => version === MQTT_3_1;
