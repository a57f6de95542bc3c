/** A Server of 5.0 above a simulated gateway: it says what the test tells it, and acknowledges the rest. */
import { generate, type IConnackPacket, type IConnectPacket, type IDisconnectPacket, type IPublishPacket,
  type Packet } from 'mqtt-packet';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { type Peer, SERVER, World, type WorldOptions } from './world.ts';

const FIVE = { protocolVersion: 5 } as const;
type Limits = NonNullable<IConnackPacket['properties']>;

export class FiveServer {
  world!: World;
  /** Properties of CONNACK. */
  connack: Limits;
  sessionPresent = false;
  refusal: { reasonCode: number; properties: Limits } | undefined;
  /** Takes messages, and answers none. */
  isMute = false;
  /** Reason code of PUBACK or PUBREC, and Reason String with one of 0x80 and above. */
  judge: (packet: IPublishPacket) => number = () => 0;
  reasonString: string | undefined;
  onPublish: (peer: Peer, packet: IPublishPacket) => void = () => {};
  grant: (qos: number) => number = qos => qos;
  readonly connects: IConnectPacket[] = [];
  readonly publishes: IPublishPacket[] = [];
  private unanswered: IPublishPacket[] = [];

  constructor(connack: Limits = {}) {
    this.connack = connack;
  }

  configure(configuration: PartialConfiguration = {}): PartialConfiguration {
    return {
      topic: [{ pattern: '#', direction: 'out', qos: 1 }],
      ...configuration,
      upstream: { address: [`mqtt://${SERVER}`], restart_timeout: [1, 8], bridge_protocol_version: 'mqttv50',
        ...configuration.upstream },
    };
  }

  /** A gateway with this configuration, connected. */
  start(configuration: PartialConfiguration = {}, options: WorldOptions = {}): { world: World } {
    this.world = World.connected({ ...options, configuration: this.configure(configuration), server: this.serve });
    return this;
  }

  readonly serve = (peer: Peer, packet: Packet): void => {
    switch (packet.cmd) {
      case 'connect':
        this.connects.push(packet);
        this.unanswered = [];
        this.post(peer, { cmd: 'connack', reasonCode: this.refusal?.reasonCode ?? 0, sessionPresent: this.sessionPresent,
          properties: this.refusal?.properties ?? this.connack });
        break;
      case 'publish':
        this.publishes.push(packet);
        this.onPublish(peer, packet);
        if (packet.qos > 0 && this.isMute)
          this.unanswered.push(packet);
        else if (packet.qos > 0)
          this.answer(peer, packet);
        break;
      case 'pubrec':
        this.post(peer, { cmd: 'pubrel', messageId: packet.messageId! });
        break;
      case 'pubrel':
        this.post(peer, { cmd: 'pubcomp', messageId: packet.messageId! });
        break;
      case 'subscribe':
        this.post(peer, { cmd: 'suback', messageId: packet.messageId!,
          granted: packet.subscriptions.map(({ qos }) => this.grant(qos)) });
        break;
      case 'unsubscribe':
        this.post(peer, { cmd: 'unsuback', messageId: packet.messageId!, granted: packet.unsubscriptions.map(() => 0) });
        break;
      case 'pingreq':
        this.post(peer, { cmd: 'pingresp' });
    }
  };

  /** All that came while it was mute. */
  answerAll(): void {
    for (const packet of this.unanswered.splice(0))
      this.answer(this.world.uplink, packet);
  }

  publish(topic: string, payload: string, { properties = {}, qos = 1, retain = false }:
  { properties?: IPublishPacket['properties']; qos?: 0 | 1 | 2; retain?: boolean } = {}): void {
    const { uplink } = this.world;
    this.post(uplink, { cmd: 'publish', topic, payload, qos, retain, dup: false, properties,
      ...qos > 0 && { messageId: uplink.nextIdentifier++ } });
  }

  disconnect(reasonCode: number, properties: IDisconnectPacket['properties'] = {}): [Uint8Array] {
    return [generate({ cmd: 'disconnect', reasonCode, properties }, FIVE)];
  }

  private answer(peer: Peer, packet: IPublishPacket): void {
    const reasonCode = this.judge(packet);
    const { reasonString } = this;
    this.post(peer, { cmd: packet.qos === 1 ? 'puback' : 'pubrec', messageId: packet.messageId!, reasonCode,
      ...reasonCode >= 0x80 && reasonString !== undefined && { properties: { reasonString } } });
  }

  private post(peer: Peer, packet: Packet): void {
    peer.post(generate(packet, FIVE));
  }
}
