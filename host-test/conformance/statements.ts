/**
 * The normative statements of MQTT 3.1.1 (OASIS Standard, 29 October 2014, appendix B), numbered as there, in words of
 * our own. `binds` says whose duty it is: C the Client's, S the Server's. What does not apply to this program says why.
 */

type Binds = 'C' | 'S' | 'both';

export interface Statement {
  readonly id: string;
  readonly binds: Binds;
  readonly text: string;
  /** The statement of 3.1.1 that the same code keeps. */
  readonly as?: string;
}

/** What a version of MQTT says, and what we have to say to it. */
export interface Standard {
  readonly version: string;
  readonly date: string;
  /** Of the ids in code and tests. */
  readonly prefix: 'MQTT311' | 'MQTT5';
  readonly statements: readonly Statement[];
  /** Why a statement has no line of code, or no test, of its own. */
  readonly reasons: Readonly<Record<string, string>>;
  /** Where the program knowingly does otherwise, and why. */
  readonly deviations: Readonly<Record<string, string>>;
}

export const row = (id: string, binds: Binds, text: string, as?: string): Statement =>
  ({ id, binds, text, ...as !== undefined && { as } });

const STATEMENTS: readonly Statement[] = [
  row('1.5.3-1', 'both',
    'Strings are well-formed UTF-8, no surrogates U+D800..DFFF; receiving ill-formed UTF-8 means close the connection'),
  row('1.5.3-2', 'both', 'No U+0000 in any string; receiving one means close the connection'),
  row('1.5.3-3', 'both', 'Bytes EF BB BF always mean U+FEFF; receiver never skips or strips them'),
  row('2.2.2-1', 'both', 'Reserved fixed-header flag bits carry exactly the values of table 2.2'),
  row('2.2.2-2', 'both', 'Receiving invalid flags: close the network connection'),
  row('2.3.1-1', 'both', 'SUBSCRIBE, UNSUBSCRIBE and PUBLISH with QoS > 0 carry a non-zero 16-bit packet identifier'),
  row('2.3.1-2', 'C', 'Each new packet of those types gets an identifier not currently in use'),
  row('2.3.1-3', 'C',
    'A re-send reuses the same identifier; free only after PUBACK, PUBCOMP, SUBACK or UNSUBACK is processed'),
  row('2.3.1-4', 'S', 'Same reuse rules (2.3.1-3) for the server\'s own PUBLISH with QoS > 0'),
  row('2.3.1-5', 'both', 'PUBLISH with QoS 0 has no packet identifier'),
  row('2.3.1-6', 'both', 'PUBACK, PUBREC, PUBREL carry the identifier of the PUBLISH they belong to'),
  row('2.3.1-7', 'S', 'SUBACK/UNSUBACK carry the identifier of their SUBSCRIBE/UNSUBSCRIBE'),
  row('3.1.0-1', 'C', 'First packet the client sends on a new connection is CONNECT'),
  row('3.1.0-2', 'S', 'A second CONNECT on a connection is a protocol violation: disconnect the client'),
  row('3.1.2-1', 'S', 'Wrong protocol name: may disconnect or treat as another protocol, never process as 3.1.1'),
  row('3.1.2-2', 'S', 'Unsupported protocol level: CONNACK return code 0x01, then disconnect'),
  row('3.1.2-3', 'S', 'Check that the reserved connect flag (bit 0) is 0; otherwise disconnect'),
  row('3.1.2-4', 'both', 'CleanSession 0: server resumes or creates session; both sides keep it after disconnection'),
  row('3.1.2-5', 'S',
    'After a CleanSession 0 disconnect, keep storing QoS 1 and 2 messages matching its subscriptions'),
  row('3.1.2-6', 'both', 'CleanSession 1: drop any old session, start new; its state is never reused later'),
  row('3.1.2-7', 'S',
    'Retained messages are not session state; not deleted at session end (printed "3.1.2.7" in the standard)'),
  row('3.1.2-8', 'S', 'Will Flag 1: store will, publish it when connection closes unless a DISCONNECT removed it'),
  row('3.1.2-9', 'C', 'Will Flag 1: will topic and will message are in the payload; Will QoS/Retain apply'),
  row('3.1.2-10', 'S', 'Remove the will from session state once published or on DISCONNECT'),
  row('3.1.2-11', 'C', 'Will Flag 0: Will QoS and Will Retain zero, no will topic or message in payload'),
  row('3.1.2-12', 'S', 'Will Flag 0: no will is published when this connection ends'),
  row('3.1.2-13', 'C', 'Will Flag 0: Will QoS is 0'),
  row('3.1.2-14', 'C', 'Will Flag 1: Will QoS is 0, 1 or 2, never 3'),
  row('3.1.2-15', 'C', 'Will Flag 0: Will Retain is 0'),
  row('3.1.2-16', 'S', 'Will Retain 0: publish the will as a non-retained message'),
  row('3.1.2-17', 'S', 'Will Retain 1: publish the will as a retained message'),
  row('3.1.2-18', 'C', 'User Name Flag 0: no user name in payload'),
  row('3.1.2-19', 'C', 'User Name Flag 1: user name is in payload'),
  row('3.1.2-20', 'C', 'Password Flag 0: no password in payload'),
  row('3.1.2-21', 'C', 'Password Flag 1: password is in payload'),
  row('3.1.2-22', 'C', 'User Name Flag 0 forces Password Flag 0'),
  row('3.1.2-23', 'C', 'Keep the gap between sent packets within Keep Alive; send PINGREQ when nothing else to send'),
  row('3.1.2-24', 'S', 'Keep Alive non-zero, no packet for 1.5 x Keep Alive: disconnect as a network failure'),
  row('3.1.3-1', 'C', 'Payload field order: client id, will topic, will message, user name, password'),
  row('3.1.3-2', 'both', 'ClientId identifies the session state held by both sides'),
  row('3.1.3-3', 'C', 'ClientId is present and is the first payload field'),
  row('3.1.3-4', 'C', 'ClientId is a UTF-8 encoded string'),
  row('3.1.3-5', 'S', 'Accept client ids of 1 to 23 bytes made only of 0-9 a-z A-Z'),
  row('3.1.3-6', 'S', 'If empty ClientId is allowed: assign a unique one and proceed as if supplied'),
  row('3.1.3-7', 'C', 'Empty ClientId requires CleanSession 1'),
  row('3.1.3-8', 'S', 'Empty ClientId with CleanSession 0: CONNACK 0x02, then close'),
  row('3.1.3-9', 'S', 'Rejected ClientId: CONNACK 0x02, then close'),
  row('3.1.3-10', 'C', 'Will topic is a UTF-8 encoded string'),
  row('3.1.3-11', 'C', 'User name is a UTF-8 encoded string'),
  row('3.1.4-1', 'S', 'CONNECT not conforming to section 3.1: close without any CONNACK'),
  row('3.1.4-2', 'S', 'ClientId already connected: disconnect the existing client'),
  row('3.1.4-3', 'S', 'Valid CONNECT: carry out the CleanSession processing'),
  row('3.1.4-4', 'S', 'Valid CONNECT: answer CONNACK with return code 0'),
  row('3.1.4-5', 'S', 'Rejected CONNECT: process no data the client sent after it'),
  row('3.2.0-1', 'S', 'First packet from server to client is CONNACK'),
  row('3.2.2-1', 'S', 'Accepted with CleanSession 1: Session Present 0, return code 0'),
  row('3.2.2-2', 'S', 'Accepted with CleanSession 0 and stored session: Session Present 1'),
  row('3.2.2-3', 'S', 'Accepted without stored session: Session Present 0, return code 0'),
  row('3.2.2-4', 'S', 'Non-zero return code: Session Present 0'),
  row('3.2.2-5', 'S', 'After a non-zero return code, close the connection'),
  row('3.2.2-6', 'S', 'No listed return code applies: close without sending CONNACK'),
  row('3.3.1-1', 'both', 'DUP is 1 on every re-delivery attempt of a PUBLISH'),
  row('3.3.1-2', 'both', 'DUP is 0 for QoS 0'),
  row('3.3.1-3', 'S',
    'Outgoing DUP depends only on this being a retransmission, never copied from the incoming packet'),
  row('3.3.1-4', 'both', 'QoS bits never both 1 (QoS 3); receiving that means close the connection'),
  row('3.3.1-5', 'S', 'RETAIN 1 from client: store message and its QoS for future matching subscribers'),
  row('3.3.1-6', 'S', 'New subscription: send the last retained message of each matching topic'),
  row('3.3.1-7', 'S', 'QoS 0 with RETAIN 1: discard the old retained message; new one may be kept or dropped'),
  row('3.3.1-8', 'S', 'RETAIN 1 when the PUBLISH is sent because of a new subscription'),
  row('3.3.1-9', 'S', 'RETAIN 0 when sent for an established subscription, whatever the incoming flag'),
  row('3.3.1-10', 'S', 'RETAIN 1 with empty payload: deliver normally and remove the topic\'s retained message'),
  row('3.3.1-11', 'S', 'Never store an empty payload as a retained message'),
  row('3.3.1-12', 'S', 'RETAIN 0 from client: neither store, remove nor replace a retained message'),
  row('3.3.2-1', 'both', 'Topic name is the first variable-header field and is a UTF-8 string'),
  row('3.3.2-2', 'both', 'Topic name has no wildcard characters'),
  row('3.3.2-3', 'S', 'Topic name sent to a subscriber matches its filter per section 4.7'),
  row('3.3.4-1', 'both', 'Answer by QoS: 0 nothing, 1 PUBACK, 2 PUBREC'),
  row('3.3.5-1', 'S', 'Overlapping subscriptions: deliver respecting the maximum QoS of all matching ones'),
  row('3.3.5-2', 'S', 'Unauthorised PUBLISH: acknowledge normally by QoS, or close the connection'),
  row('3.6.1-1', 'both', 'PUBREL flags are 0010; server treats others as malformed and closes'),
  row('3.8.1-1', 'both', 'SUBSCRIBE flags are 0010; server treats others as malformed and closes'),
  row('3.8.3-1', 'C', 'Topic filters are UTF-8 encoded strings'),
  row('3.8.3-2', 'S', 'Server without wildcard support rejects subscriptions whose filter has wildcards'),
  row('3.8.3-3', 'C', 'Payload has at least one filter/QoS pair; empty is a protocol violation'),
  row('3.8.3-4', 'S', 'Reserved QoS-byte bits set or QoS 3: malformed, close (printed "3-8.3-4" in the standard)'),
  row('3.8.4-1', 'S', 'Answer SUBSCRIBE with SUBACK'),
  row('3.8.4-2', 'S', 'SUBACK has the SUBSCRIBE\'s packet identifier'),
  row('3.8.4-3', 'S',
    'Identical filter replaces the old subscription; re-send retained messages; do not interrupt the flow'),
  row('3.8.4-4', 'S', 'Several filters: as a sequence of SUBSCRIBEs, combined into one SUBACK'),
  row('3.8.4-5', 'S', 'SUBACK has one return code per filter: granted maximum QoS or failure'),
  row('3.8.4-6', 'S', 'Delivery QoS is the minimum of published QoS and granted QoS'),
  row('3.9.3-1', 'S', 'Return codes in the same order as the SUBSCRIBE\'s filters'),
  row('3.9.3-2', 'S', 'Only return codes 0x00, 0x01, 0x02, 0x80'),
  row('3.10.1-1', 'both', 'UNSUBSCRIBE flags are 0010; server treats others as malformed and closes'),
  row('3.10.3-1', 'C', 'Filters are UTF-8 encoded strings, packed contiguously'),
  row('3.10.3-2', 'C', 'Payload has at least one filter; empty is a protocol violation'),
  row('3.10.4-1', 'S',
    'Compare filters character by character; exact match deletes that subscription, otherwise nothing more happens'),
  row('3.10.4-2', 'S', 'Deleted subscription: stop adding new messages for it'),
  row('3.10.4-3', 'S', 'Deleted subscription: finish QoS 1/2 deliveries already started'),
  row('3.10.4-4', 'S', 'Answer with UNSUBACK carrying the same packet identifier'),
  row('3.10.4-5', 'S', 'UNSUBACK even when no subscription was deleted'),
  row('3.10.4-6', 'S', 'Several filters: as a sequence of UNSUBSCRIBEs, but one UNSUBACK'),
  row('3.12.4-1', 'S', 'Answer PINGREQ with PINGRESP'),
  row('3.14.1-1', 'S', 'Check DISCONNECT reserved bits are 0; otherwise disconnect the client'),
  row('3.14.4-1', 'C', 'After sending DISCONNECT, close the connection'),
  row('3.14.4-2', 'C', 'After sending DISCONNECT, send no more packets'),
  row('3.14.4-3', 'S', 'On DISCONNECT, discard the will of this connection without publishing'),
  row('4.1.0-1', 'both', 'Keep session state for the whole duration of the session'),
  row('4.1.0-2', 'both', 'A session lasts at least as long as its active network connection'),
  row('4.3.1-1', 'both', 'QoS 0 sender: PUBLISH with QoS 0 and DUP 0'),
  row('4.3.2-1', 'both', 'QoS 1 sender: unused id, PUBLISH QoS 1 DUP 0, unacknowledged until its PUBACK'),
  row('4.3.2-2', 'both', 'QoS 1 receiver: PUBACK with same id; afterwards same id is a new publication, whatever DUP'),
  row('4.3.3-1', 'both', 'QoS 2 sender: unused id, DUP 0; PUBREC then PUBREL same id; no PUBLISH re-send after PUBREL'),
  row('4.3.3-2', 'both',
    'QoS 2 receiver: PUBREC, repeat it without duplicating until PUBREL, then PUBCOMP; afterwards id is new'),
  row('4.4.0-1', 'both',
    'Reconnect with CleanSession 0: re-send unacknowledged PUBLISH (QoS > 0) and PUBREL, original identifiers'),
  row('4.5.0-1', 'S',
    'Message owned by server is added to the session state of every client with matching subscription'),
  row('4.5.0-2', 'C', 'Acknowledge each received PUBLISH by QoS, even if the content is ignored'),
  row('4.6.0-1', 'C', 'Re-send PUBLISH packets in their original sending order (QoS 1 and 2)'),
  row('4.6.0-2', 'C', 'Send PUBACKs in the order the PUBLISHes were received'),
  row('4.6.0-3', 'C', 'Send PUBRECs in the order the PUBLISHes were received'),
  row('4.6.0-4', 'C', 'Send PUBRELs in the order the PUBRECs were received'),
  row('4.6.0-5', 'S', 'Every topic is an Ordered Topic by default; unordered only by administrative choice'),
  row('4.6.0-6', 'S',
    'Ordered Topic: server follows 4.6.0-1..4 too, and keeps each publisher\'s order per topic and QoS'),
  row('4.7.1-1', 'both', 'Wildcards allowed in filters only, not in topic names'),
  row('4.7.1-2', 'both', '`#` stands alone or after `/`, and is the last character'),
  row('4.7.1-3', 'both', '`+` may be at any level but occupies the whole level'),
  row('4.7.2-1', 'S', 'A filter starting with `#` or `+` does not match topics beginning with `$`'),
  row('4.7.3-1', 'both', 'Topic names and filters have at least one character'),
  row('4.7.3-2', 'both', 'Topic names and filters contain no U+0000'),
  row('4.7.3-3', 'both', 'Topic names and filters encode to at most 65535 bytes'),
  row('4.7.3-4', 'S', 'Matching does no normalisation, modification or substitution of characters'),
  row('4.8.0-1', 'both', 'Protocol violation, unless stated otherwise: close the connection it arrived on'),
  row('4.8.0-2', 'both', 'Transient Error while processing an inbound packet: close that connection'),
  row('6.0.0-1', 'both', 'Only binary data frames; any other data frame type received means close'),
  row('6.0.0-2', 'both', 'Frames may hold several or partial packets; never assume alignment'),
  row('6.0.0-3', 'C', 'Offer `mqtt` in the list of subprotocols'),
  row('6.0.0-4', 'S', 'Select and return subprotocol `mqtt`'),
  row('7.0.0-1', 'S', 'Server that also connects out to other servers conforms as client and server'),
  row('7.0.0-2', 'both', 'Require no extension outside the specification to interoperate'),
  row('7.1.1-1', 'S', 'Server supports a transport giving an ordered, lossless byte stream both ways'),
  row('7.1.2-1', 'C', 'Client supports a transport giving an ordered, lossless byte stream both ways'),
];

export const AFTER_ODD_ANSWERS =
  'towards a broker that answers QoS 2 with PUBACK or PUBCOMP, or QoS 1 with PUBREC (RabbitMQ 3.10 does the first), that is taken for '
  + 'delivered and said once, and the connection goes on: closing it would send the message again for ever';

const DEVIATIONS: Readonly<Record<string, string>> = {
  '4.3.2-1': AFTER_ODD_ANSWERS,
  '4.3.3-1': AFTER_ODD_ANSWERS,
  '4.8.0-1': AFTER_ODD_ANSWERS,
};

const REASONS: Readonly<Record<string, string>> = {
  '3.8.3-2': 'wildcards are supported',
  '7.0.0-1': 'about the program as a whole: the gateway is a Server to nodes and a Client upstream, and keeps the statements of both',
  '7.0.0-2': 'about the program as a whole: nothing beyond the specification is needed; host-test/interop talks to programs of others',
  '7.1.1-1': 'the transport is TCP: src/io/transport.ts and the contract that host-test/io runs against each of its implementations',
  '7.1.2-1': 'the transport is TCP: src/io/transport.ts and the contract that host-test/io runs against each of its implementations',
};

export const THREE: Standard = { version: '3.1.1', date: '29 October 2014', prefix: 'MQTT311', statements: STATEMENTS,
  reasons: REASONS, deviations: DEVIATIONS };
