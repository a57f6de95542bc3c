/** MQTT.js as an adapter: see README.md for the lines that come and go. */
import { createInterface } from 'node:readline';
import { connect } from 'mqtt';

const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const unless = text => text === '-' ? undefined : text;
let client;
let isLeaving = false;

const commands = {
  connect(...words) {
    const [port, clientId, clean, keepalive, username, password, willTopic, willQoS, willRetain] = words;
    isLeaving = false;
    client = connect({
      host: '127.0.0.1', port: Number(port), clientId, clean: clean === '1', keepalive: Number(keepalive), protocolVersion: 4,
      reconnectPeriod: 0, username: unless(username), password: unless(password),
      will: willTopic === '-' ? undefined
        : { topic: willTopic, payload: Buffer.from('gone'), qos: Number(willQoS), retain: willRetain === '1' },
    });
    let wasConnected = false;
    client.on('connect', ({ sessionPresent }) => {
      wasConnected = true;
      say('connected', sessionPresent ? 1 : 0);
    });
    client.on('message', (topic, payload, { qos, retain }) => say('message', qos, retain ? 1 : 0, topic, payload.length === 0 ? '-' : payload));
    client.on('error', error => typeof error.code === 'number' && !wasConnected && say('refused', error.code));
    client.on('close', () => wasConnected && !isLeaving && say('lost'));
  },
  subscribe: (filter, qos) => client.subscribe(filter, { qos: Number(qos) }, (error, granted) =>
    say('subscribed', error ? 128 : granted[0]?.qos ?? qos)),
  unsubscribe: filter => client.unsubscribe(filter, () => say('unsubscribed')),
  publish: (topic, payload, qos, retain) => client.publish(topic, payload === '-' ? '' : payload,
    { qos: Number(qos), retain: retain === '1' }, error => say(error ? 'failed' : 'published', topic)),
  disconnect() {
    isLeaving = true;
    client.end(false, {}, () => say('disconnected'));
  },
};

createInterface({ input: process.stdin }).on('line', line => {
  const [command, ...words] = line.split(' ');
  commands[command](...words);
}).on('close', () => process.exit());
