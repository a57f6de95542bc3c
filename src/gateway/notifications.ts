/**
 * Tells nodes whether the connection to the Server stands, as Mosquitto's bridge does: retained, 1 or 0, under
 * `upstream.notification_topic`. What the Server is told is the Will and the birth.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { Delivery } from '../nodes/delivery.ts';
import { PlainSpans } from '../packet/packet.ts';

const DOWN_AND_UP = '01';

/** Bytes of the topic and the two payloads. */
export const lengthOfNotifications = ({ notification_topic, notifications }: UpstreamConfiguration): number =>
  notifications ? lengthOfUTF8(notification_topic + DOWN_AND_UP) : 0;

export class Notifications {
  private readonly message = new PlainSpans();
  private readonly arena: Arena;
  private readonly delivery: Delivery;
  private isWanted = false;
  private payloadOffset = 0;
  private isUp = false;
  private hasStarted = false;

  static plan(plan: ArenaPlan, upstream: UpstreamConfiguration): number {
    return plan.reserve('notifications', lengthOfNotifications(upstream));
  }

  constructor(arena: Arena, offset: number, upstream: UpstreamConfiguration, delivery: Delivery) {
    this.arena = arena;
    this.delivery = delivery;
    this.message.topicNameOffset = offset;
    this.message.qos = 1;
    this.write(upstream);
  }

  /** At start: there is no connection yet. */
  start(): void {
    this.hasStarted = true;
    this.tell(false);
  }

  /** It stands, or has ended. */
  update(isUp: boolean): void {
    if (this.isUp !== isUp)
      this.tell(isUp);
  }

  /** The configuration has been read again, and the connection has ended: what is kept under the old name goes. */
  reload(upstream: UpstreamConfiguration): void {
    if (this.isWanted && this.hasStarted) {
      this.message.payloadLength = 0;
      this.delivery.deliverNotification(this.message);
    }
    this.write(upstream);
    if (this.hasStarted)
      this.tell(false);
  }

  private write({ notification_topic, notifications }: UpstreamConfiguration): void {
    const { arena, message } = this;
    const { topicNameOffset } = message;
    this.isWanted = notifications;
    message.payloadLength = 1;
    this.payloadOffset = notifications ? encodeUTF8(arena, topicNameOffset, notification_topic) : topicNameOffset;
    message.topicNameLength = this.payloadOffset - topicNameOffset;
    if (notifications)
      encodeUTF8(arena, this.payloadOffset, DOWN_AND_UP);
  }

  private tell(isUp: boolean): void {
    this.isUp = isUp;
    if (!this.isWanted)
      return;
    const { message, payloadOffset } = this;
    message.payloadOffset = isUp ? payloadOffset + 1 : payloadOffset;
    message.retain = 0;
    this.delivery.deliverNotification(message);
  }
}
