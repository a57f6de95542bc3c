/** The views: each shows a part of the status in words and figures. */
import { useState } from 'preact/hooks';
import { type Model, type Moment, post, type View } from './model.ts';
import { bytes, Chart, duration, Facts, perSecond, Section, Table, whole } from './parts.tsx';

export interface ViewProps {
  readonly model: Model;
  readonly view: View;
}

const IDLE: Moment = { time: 0, fromNodes: 0, accepted: 0, toBroker: 0, fromBroker: 0, toNodes: 0, stored: 0, readings: new Map() };

const isUp = ({ upstream }: View): boolean => upstream.state === 'connected';

const moodOf = (view: View): string => !view.health.isWell || !isUp(view) ? 'bad' : view.store.count > 0 ? 'careful' : 'good';

/** With the seconds until then. */
const nextStep = ({ upstream }: View): string =>
  upstream.nextAttemptIn === null ? upstream.next : `${upstream.next} in ${Math.ceil(upstream.nextAttemptIn)} s`;

export function Overview({ model, view }: ViewProps) {
  const now = model.course.at(-1) ?? IDLE;
  const { counters, nodes, store, upstream } = view;
  const connected = nodes.filter(node => node.connected).length;
  const times = model.course.map(({ time }) => time);
  return (
    <>
      <Section title="Health">
        <p class={`words ${moodOf(view)}`} role="status">{view.advice}</p>
        {view.health.reasons.map(reason => <p class="bad">{reason}</p>)}
        <p class="dim">Next: {nextStep(view)}</p>
        {view.isPlugged !== undefined && (
          <button class="main" onClick={() => void post('/api/plug', {})}>
            {view.isPlugged ? 'Pull the upstream plug' : 'Put the upstream plug back'}
          </button>
        )}
      </Section>
      <Section title="Data flow">
        <ol class="flow">
          <li><b>Nodes</b>{connected} of {nodes.length} connected</li>
          <li class="arrow"><span class="rate">{perSecond(now.fromNodes)}</span> →<br /><span class="rate">{perSecond(now.toNodes)}</span> ←</li>
          <li><b>Gateway</b>{whole(counters.acceptedForUpstream)} accepted for the broker</li>
          <li class="arrow"><span class="rate">{perSecond(now.accepted)}</span> →</li>
          <li><b>Store</b>{whole(store.count)} waiting{store.oldest !== null && store.count > 0 && `, the oldest ${duration(store.oldest)}`}</li>
          <li class="arrow"><span class="rate">{perSecond(now.toBroker)}</span> →<br /><span class="rate">{perSecond(now.fromBroker)}</span> ←</li>
          <li class={isUp(view) ? '' : 'broken'}><b>Broker</b><span class={isUp(view) ? 'good' : 'bad'}>{upstream.state}</span></li>
        </ol>
      </Section>
      <Section title="Messages per second">
        <Chart label="Messages per second over the last minutes" times={times} curves={[
          { label: 'accepted for the broker', colour: '--accent', values: model.course.map(({ accepted }) => accepted) },
          { label: 'sent to the broker', colour: '--good', values: model.course.map(({ toBroker }) => toBroker) },
        ]} />
      </Section>
    </>
  );
}

export function Nodes({ view }: ViewProps) {
  const { counters, endings, nodes } = view;
  return (
    <>
      <Section title="Nodes">
        <Table caption="Nodes that are connected, or whose session is kept" rows={nodes} empty="No node has connected yet." columns={[
          { label: 'Identifier', of: ({ identifier }) => identifier },
          { label: 'State', of: ({ connected }) => <span class={connected ? 'good' : 'dim'}>{connected ? '● connected' : '○ away'}</span> },
          { label: 'User', of: ({ user }) => user ?? '–' },
          { label: 'Address', of: ({ address }) => address ?? '–' },
          { label: 'MQTT', of: ({ version }) => version ?? '–' },
          { label: 'Waiting', isNumber: true, of: ({ queuedBytes, queuedMessages }) => `${whole(queuedMessages)} (${bytes(queuedBytes)})` },
        ]} />
      </Section>
      <Section title="Ends of connections">
        <Table caption="Why connections have ended, or were refused" rows={Object.entries(endings)} empty="None has ended." columns={[
          { label: 'Reason', of: ([reason]) => reason },
          { label: 'Times', isNumber: true, of: ([, count]) => whole(count) },
        ]} />
      </Section>
      <Section title="Messages of nodes">
        <Facts facts={[
          ['received', whole(counters.receivedFromNodes)], ['sent', whole(counters.sentToNodes)],
          ['dropped for nodes', whole(counters.droppedForNodes)], ['not allowed', whole(counters.denied)],
          ['made to wait', `${whole(counters.held)} by rate, ${whole(counters.heldForRoom)} for room`],
          ['subscriptions', whole(counters.subscriptions)], ['retained messages', whole(counters.retainedMessages)],
        ]} />
      </Section>
    </>
  );
}

/** The course of one sensor's values. */
function Readings({ model, view: { sensors } }: ViewProps) {
  const [wanted, setWanted] = useState('');
  const sensor = sensors.find(({ name }) => name === wanted) ?? sensors[0];
  if (sensor === undefined)
    return null;
  const { name, topic } = sensor;
  return (
    <>
      <label>Course of <select value={name} onChange={event => setWanted(event.currentTarget.value)}>
        {sensors.map(each => <option value={each.name}>{each.topic}</option>)}
      </select></label>
      <Chart key={name} label={`Values of ${topic} over the last minutes`} times={model.course.map(({ time }) => time)} isFromZero={false}
        curves={[{ label: topic, colour: '--accent', values: model.course.map(({ readings }) => readings.get(name) ?? null) }]} />
    </>
  );
}

export function Rules({ model, view }: ViewProps) {
  const [search, setSearch] = useState('');
  const { counters, rules, sensors } = view;
  const shown = rules.filter(({ local, remote }) => `${local} ${remote}`.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      <Section title="Topic rules">
        <label>Search <input type="search" value={search} onInput={event => setSearch(event.currentTarget.value)} /></label>
        <Table caption="In the order of the configuration; the first that matches counts" rows={shown} columns={[
          { label: 'Here', of: ({ local }) => local },
          { label: 'Direction', of: ({ direction }) => direction === 'out' ? '→ out' : '← in' },
          { label: 'At the broker', of: ({ remote }) => remote },
          { label: 'Forwarded', isNumber: true, of: ({ forwarded }) => whole(forwarded) },
          { label: 'Dropped', isNumber: true, of: ({ dropped }) => <span class={dropped > 0 ? 'bad' : ''}>{whole(dropped)}</span> },
          { label: 'Refused', isNumber: true, of: ({ refused }) => <span class={refused > 0 ? 'bad' : ''}>{whole(refused)}</span> },
        ]} empty={search === '' ? 'There is no rule: nothing goes to the broker or comes from it. Write "topic" in the configuration.' : 'No rule has that.'} />
      </Section>
      <Section title="Messages of the broker that went to nobody">
        <Facts facts={[
          ['too long', `${whole(counters.tooLongFromUpstream)} (upstream.max_packet_size)`],
          ['unfit topic', whole(counters.unfitFromUpstream)],
          ['no rule asks for it', whole(counters.unaskedFromUpstream)],
        ]} />
      </Section>
      <Section title="Sensors">
        <Table caption="Last readings" rows={sensors} empty="There are no sensors." columns={[
          { label: 'Topic', of: ({ topic }) => topic },
          { label: 'Value', isNumber: true, of: ({ value }) => value === null ? '–' : String(Number(value.toPrecision(6))) },
          { label: 'State', of: ({ works }) => <span class={works ? 'good' : 'bad'}>{works ? 'works' : 'fails'}</span> },
        ]} />
        <Readings model={model} view={view} />
      </Section>
      {view.mayPublish && <Publish />}
    </>
  );
}

function Publish() {
  const [topic, setTopic] = useState('');
  const [payload, setPayload] = useState('');
  const [qos, setQoS] = useState(1);
  const [retain, setRetain] = useState(false);
  const [told, setTold] = useState<readonly [mood: string, text: string]>(['', '']);
  const publish = async (): Promise<void> => {
    const response = await post('/api/publish', { topic, payload, qos, retain });
    const { errors = [] } = await response.json() as { errors?: readonly { path: string; text: string }[] };
    setTold(response.ok ? ['good', `Published under "${topic}".`]
      : ['bad', errors.map(({ path, text }) => `${path} ${text}`).join('; ')]);
  };
  return (
    <Section title="Publish a test message">
      <form onSubmit={event => {
        event.preventDefault();
        publish().catch(() => setTold(['bad', 'The gateway does not answer.']));
      }}>
        <label>Topic <input type="text" required value={topic} onInput={event => setTopic(event.currentTarget.value)} /></label>
        <label>Payload <input type="text" value={payload} onInput={event => setPayload(event.currentTarget.value)} /></label>
        <label>QoS <select value={qos} onChange={event => setQoS(Number(event.currentTarget.value))}>
          {[0, 1, 2].map(value => <option value={value}>{value}</option>)}
        </select></label>
        <label><input type="checkbox" checked={retain} onChange={event => setRetain(event.currentTarget.checked)} /> retained</label>
        <button class="main" type="submit">Publish</button>
      </form>
      <p class={told[0]} role="status">{told[1]}</p>
    </Section>
  );
}

export function Store({ model, view }: ViewProps) {
  const { quarantine, store } = view;
  const fill = store.capacity === 0 ? 0 : store.bytes / store.capacity;
  return (
    <>
      <Section title="Store">
        <meter min={0} max={1} high={0.9} low={0.5} optimum={0} value={fill} aria-label={`full to ${Math.round(fill * 100)} percent`} />
        <Facts facts={[
          ['full to', `${(fill * 100).toFixed(1)} %: ${bytes(store.bytes)} of ${bytes(store.capacity)}`],
          ['waiting', `${whole(store.count)} messages`],
          ['oldest', store.oldest === null || store.count === 0 ? '–' : duration(store.oldest)],
          ['given up', <span class={store.dropped > 0 ? 'bad' : ''}>{whole(store.dropped)}</span>],
          ['kept', store.durable ? 'in the file: survives a power cut' : 'in memory: lost at a restart'],
        ]} />
      </Section>
      <Section title="Waiting messages">
        <Chart label="Messages that wait for the broker over the last minutes" times={model.course.map(({ time }) => time)} curves={[
          { label: 'waiting', colour: '--careful', values: model.course.map(({ stored }) => stored) },
        ]} />
      </Section>
      <Section title="Quarantine">
        <Table caption="What the broker will not have" rows={quarantine.messages} empty="Nothing is set aside." columns={[
          { label: 'Topic', of: ({ topic }) => topic },
          { label: 'Node', of: ({ node }) => node },
          { label: 'Bytes', isNumber: true, of: ({ bytes: length }) => whole(length) },
          { label: 'Why', of: ({ reason }) => reason },
          { label: 'Decide', of: ({ number }) => <Decision number={number} /> },
        ]} />
      </Section>
    </>
  );
}

function Decision({ number }: { number: number }) {
  const [problem, setProblem] = useState('');
  const decide = async (action: string): Promise<void> => {
    const response = await post('/api/quarantine', { action, number });
    const { errors = [] } = await response.json() as { errors?: readonly { text: string }[] };
    setProblem(errors[0]?.text ?? '');
  };
  return (
    <span class="row">
      <button onClick={() => void decide('release')}>Release</button>
      <button onClick={() => void decide('delete')}>Delete</button>
      {problem !== '' && <span class="bad" role="alert">{problem}</span>}
    </span>
  );
}

export function Upstream({ view }: ViewProps) {
  const { counters, tls, upstream, upstream: { probe } } = view;
  return (
    <Section title="Upstream">
      <Facts facts={[
        ['state', <span class={isUp(view) ? 'good' : 'bad'}>{upstream.state}</span>],
        ['address', upstream.address],
        ['last reason', upstream.reason ?? '–'],
        ['next', nextStep(view)],
        ['attempts', whole(upstream.attempts)],
        ...probe === null ? [] : [['probe', `${probe.state}${probe.roundTrip === null ? '' : `; the last one was back after ${probe.roundTrip} s`}`] as const],
        ...tls.certificates.map(({ days, of }) => [`certificate ${of}`, <span class={days < 30 ? 'bad' : ''}>{days < 0 ? 'has expired' : `${whole(days)} days`}</span>] as const),
        ['accepted', `${whole(counters.acceptedForUpstream)} messages`],
        ['sent', `${whole(counters.sentUpstream)} messages`],
        ['received', `${whole(counters.receivedFromUpstream)} messages`],
        ['given up', `${whole(counters.droppedUpstream)} messages`],
      ]} />
    </Section>
  );
}

const LEVELS = ['debug', 'info', 'warning', 'error'];

export function Log({ model }: ViewProps) {
  const [search, setSearch] = useState('');
  const [level, setLevel] = useState('debug');
  const shown = model.lines.filter(line => LEVELS.indexOf(line.level) >= LEVELS.indexOf(level)
    && line.text.toLowerCase().includes(search.toLowerCase()));
  return (
    <Section title="Log">
      <div class="row">
        <label>Level <select value={level} onChange={event => setLevel(event.currentTarget.value)}>
          {LEVELS.map(name => <option value={name}>{name}</option>)}
        </select></label>
        <label>Search <input type="search" value={search} onInput={event => setSearch(event.currentTarget.value)} /></label>
      </div>
      <ol class="log" tabIndex={0} aria-label="Lines of the log, the latest first">
        {[...shown].reverse().map(line => (
          <li key={line.id}>
            <span class="dim">{line.time.slice(0, 19).replace('T', ' ')}</span>{' '}
            <b class={line.level === 'error' ? 'bad' : line.level === 'warning' ? 'careful' : 'dim'}>{line.level}</b> {line.text}
          </li>
        ))}
      </ol>
      {shown.length === 0 && <p class="dim">No line is like that.</p>}
    </Section>
  );
}

export function About({ model, view }: ViewProps) {
  return (
    <>
      <Section title="About">
        <Facts facts={[
          ['gateway', view.name], ['Ringbridge', view.version], ['running for', duration(view.uptime)],
          ['interface', <a href="/api/openapi.json">/api/openapi.json</a>],
          ['figures', <a href="/metrics">/metrics</a>],
          ['health', <a href="/health">/health</a>],
        ]} />
      </Section>
      {model.passwordNeeded && <Section title="Session"><button onClick={() => void model.logOut()}>Log out</button></Section>}
    </>
  );
}
