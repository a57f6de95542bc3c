/**
 * With `log_level` "debug": a line of the log for each message that comes or goes, with its topic, QoS and length, but
 * not its content. Stands in front of methods of the sessions, so that a gateway which nobody watches has not one step
 * more to do for a message.
 */
import { decodeUTF8 } from '../bytes/utf8.ts';
import { nodeName } from '../gateway/event-texts.ts';
import { PUBLISH } from '../packet/control-packet.ts';
import type { Arena } from '../bytes/arena.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Message, Packet } from '../packet/packet.ts';
import type { ClientSession } from '../session/client-session.ts';
import type { NodeOutput } from '../session/server-role.ts';
import type { ServerSession } from '../session/server-session.ts';

type Write = (text: string) => void;
type TraceableSession = Pick<ClientSession | ServerSession, 'onPublish'> & { open(output: NodeOutput): void };

/** @param write takes a line about one message */
export function traceMessages(gateway: Gateway, write: Write): void {
  trace(gateway.upstream as TraceableSession, gateway.arena, () => 'upstream', write);
  gateway.sessions.forEach(session =>
    trace(session, gateway.arena, () => `node ${nodeName(gateway, session.index)}`, write));
}

function trace(session: TraceableSession, arena: Arena, nameOf: () => string, write: Write): void {
  const { onPublish, open } = session;
  const traced = new WeakSet<NodeOutput>();
  session.onPublish = (packet: Packet) => {
    write(`from ${nameOf()}: ${describeMessage(arena, packet)}`);
    onPublish.call(session, packet);
  };
  session.open = (output: NodeOutput) => {
    if (!traced.has(output)) {
      traced.add(output);
      const { send } = output;
      output.send = (length: number) => {
        const text = describeStaged(arena);
        const isSent = send.call(output, length);
        if (text !== undefined && isSent)
          write(`to ${nameOf()}: ${text}`);
        return isSent;
      };
    }
    open.call(session, output);
  };
}

type Described = Pick<Message, 'topicNameOffset' | 'topicNameLength' | 'payloadLength' | 'qos' | 'retain'>;

function describeMessage(arena: Arena, message: Described): string {
  const { payloadLength, qos, retain, topicNameLength, topicNameOffset } = message;
  return `"${decodeUTF8(arena, topicNameOffset, topicNameLength)}", QoS ${qos}, ${payloadLength} `
    + `byte${payloadLength === 1 ? '' : 's'}${retain === 1 ? ', retained' : ''}`;
}

/** Of the packet in the staging area, if it is a PUBLISH. */
function describeStaged(arena: Arena): string | undefined {
  const { bytes, stagingOffset, view } = arena;
  const first = bytes[stagingOffset]!;
  if (first >> 4 !== PUBLISH)
    return undefined;
  let at = stagingOffset + 1, remaining = 0, shift = 0;
  do {
    remaining |= (bytes[at]! & 0x7F) << shift;
    shift += 7;
  } while (bytes[at++]! >= 0x80);
  const qos = first >> 1 & 3;
  const topicNameLength = view.getUint16(at);
  const payloadLength = remaining - 2 - topicNameLength - (qos === 0 ? 0 : 2);
  return describeMessage(arena, { topicNameOffset: at + 2, topicNameLength, payloadLength, qos, retain: first & 1 });
}
