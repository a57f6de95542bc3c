/**
 * Tells nodes whether the connection to the Server stands, as Mosquitto's bridge does: retained, 1 or 0, under
 * `upstream.notification_topic`. What the Server is told is the Will and the birth.
 */
import type { Arena, ArenaPlan } from '../bytes/arena.ts';
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { UpstreamConfiguration } from '../config/configuration.ts';
import type { Delivery } from '../nodes/delivery.ts';
import { MessageSpans } from '../packet/packet.ts';

const DOWN_AND_UP = '01';

export class Notifications {
  private readonly message = new MessageSpans();
  private readonly delivery: Delivery;
  private readonly isWanted: boolean;
  private readonly payloadOffset: number;
  private isUp = false;

  static plan(plan: ArenaPlan, { notification_topic, notifications }: UpstreamConfiguration): number {
    return plan.reserve('notifications', notifications ? lengthOfUTF8(notification_topic + DOWN_AND_UP) : 0);
  }

  constructor(arena: Arena, offset: number, upstream: UpstreamConfiguration, delivery: Delivery) {
    const { message } = this;
    const { notification_topic, notifications } = upstream;
    this.delivery = delivery;
    this.isWanted = notifications;
    message.topicNameOffset = offset;
    this.payloadOffset = notifications ? encodeUTF8(arena, offset, notification_topic) : offset;
    message.topicNameLength = this.payloadOffset - offset;
    if (notifications)
      encodeUTF8(arena, this.payloadOffset, DOWN_AND_UP);
    message.payloadLength = 1;
    message.qos = 1;
  }

  /** At start: there is no connection yet. */
  start(): void {
    this.tell(false);
  }

  /** It stands, or has ended. */
  update(isUp: boolean): void {
    if (this.isUp !== isUp)
      this.tell(isUp);
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
