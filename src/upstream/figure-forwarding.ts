/**
 * Figures of the gateway, `$SYS/broker/...`, for the Server, where a rule of direction "out" says so. Each is news for
 * an interval only: with QoS 0, retained as by Mosquitto, and none while there is no connection, so that the store
 * keeps what cannot be told again. Whether the connection stands is told otherwise, by the Will or the notifications.
 */
import type { FigureOutlet } from '../nodes/system-topics.ts';
import type { Message } from '../packet/packet.ts';
import { DOLLAR } from '../packet/topic.ts';
import type { Bridge } from './bridge.ts';

/** No node sends it again. */
const NOBODY = 0;

export class FigureForwarding implements FigureOutlet {
  private readonly bridge: Bridge;
  private readonly bytes: Uint8Array;

  constructor(bridge: Bridge, { bytes }: { readonly bytes: Uint8Array }) {
    this.bridge = bridge;
    this.bytes = bytes;
  }

  get wantsFigures(): boolean {
    const { outbound: { rules }, session } = this.bridge;
    if (!session.isConnected)
      return false;
    for (let index = 0; index < rules.length; ++index)
      if (this.bytes[rules[index]!.filterOffset] === DOLLAR)
        return true;
    return false;
  }

  get ruleCount(): number {
    return this.bridge.outbound.rules.length;
  }

  sendFigure(message: Message): void {
    const { bridge } = this;
    if (bridge.session.isConnected)
      bridge.forward(message, bridge.outbound.uncached, NOBODY);
  }
}
