/** POST /api/publish: a message by hand, as if a sensor had said it, where `page.allow_publish` lets it. */
import { encodeUTF8, lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Runtime } from '../io/runtime.ts';
import { RepeatedMessage } from '../packet/packet.ts';
import { isTopicName } from '../rules/topic-texts.ts';
import { POST } from '../web/request-head.ts';
import type { Resource } from '../web/resource.ts';
import { jsonContent } from './page-content.ts';
import { writable } from './page-resources.ts';

/** Bytes of a request: each character of the text may be written with six. */
const CAPACITY = 128 * 1024;
/** Of a packet, beside topic and payload. */
const OVERHEAD = 16;

const KEYS = ['topic', 'payload', 'qos', 'retain'];

interface Wanted {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

interface Finding {
  readonly path: string;
  readonly text: string;
}

/** @param longest bytes of topic and payload together */
function judge(body: Buffer, longest: number): { readonly wanted: Wanted } | { readonly finding: Finding } {
  const no = (path: string, text: string): { readonly finding: Finding } => ({ finding: { path, text } });
  let value: unknown;
  try {
    value = JSON.parse(body.toString());
  } catch { /* as any other value that is none */ }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return no('', 'is no JSON object; send {"topic": "a/b", "payload": "text"}');
  const { payload = '', qos = 0, retain = false, topic } = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(value).find(key => !KEYS.includes(key));
  if (unknown !== undefined)
    return no(unknown, `there is no such key; there are ${KEYS.join(', ')}`);
  if (typeof topic !== 'string' || !isTopicName(topic))
    return no('topic', 'must be a Topic Name, as text, without "+" and "#"');
  if (topic.startsWith('$'))
    return no('topic', 'topics that begin with $ are the gateway\'s own; write another one');
  if (typeof payload !== 'string')
    return no('payload', 'must be a text');
  if (qos !== 0 && qos !== 1 && qos !== 2)
    return no('qos', 'write 0, 1 or 2');
  if (typeof retain !== 'boolean')
    return no('retain', 'write true or false');
  const length = lengthOfUTF8(topic) + lengthOfUTF8(payload);
  if (length > longest)
    return no('payload', `topic and payload have ${length} bytes, ${longest} are the limit (listener.max_packet_size)`);
  return { wanted: { topic, payload, qos, retain } };
}

export function publishing(runtime: Runtime, isAllowed: boolean): Resource {
  const message = new RepeatedMessage();
  return writable('/api/publish', POST, CAPACITY, (exchange, body) => {
    const refuse = (status: number, finding: Finding): void =>
      exchange.answer(status, jsonContent({ errors: [finding] }));
    if (!isAllowed) {
      refuse(403, { path: '', text: 'this gateway takes no messages from its page; set "allow_publish": true in "page", and restart' });
      return;
    }
    const { gateway } = runtime;
    const { arena, arena: { landingCapacity, landingOffset } } = gateway;
    const judged = judge(body, Math.min(landingCapacity, gateway.configuration.listener.max_packet_size - OVERHEAD));
    if ('finding' in judged) {
      refuse(422, judged.finding);
      return;
    }
    const { payload, qos, retain, topic } = judged.wanted;
    let isTaken = false;
    runtime.later(() => { // nothing else lies in the landing area between two events
      message.payloadOffset = encodeUTF8(arena, landingOffset, topic);
      message.rename(landingOffset, message.payloadOffset - landingOffset);
      message.payloadLength = encodeUTF8(arena, message.payloadOffset, payload) - message.payloadOffset;
      message.qos = qos;
      message.retain = retain ? 1 : 0;
      isTaken = gateway.publish(message);
    });
    if (isTaken)
      exchange.answer(200, jsonContent({ published: true }));
    else
      refuse(503, { path: '', text: 'it was not taken: the store is full, or does not work' });
  });
}
