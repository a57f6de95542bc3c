/** The configuration: shown without its secrets, changed as text, with mistakes named by path; tried, kept, or given up. */
import { useEffect, useState } from 'preact/hooks';
import { post } from './model.ts';
import { Section } from './parts.tsx';

interface Finding {
  readonly path: string;
  readonly text: string;
}

/** Seconds in which a trial must be confirmed. */
const TRIAL = 60;

export function Configuration() {
  const [text, setText] = useState('');
  const [findings, setFindings] = useState<readonly Finding[]>([]);
  const [message, setMessage] = useState('');
  const [isOnTrial, setOnTrial] = useState(false);
  const load = async (): Promise<void> => {
    const response = await fetch('/api/config');
    setText(response.ok ? JSON.stringify(await response.json(), undefined, 2) : '');
    if (!response.ok)
      setMessage('This gateway was started without a file: there is nothing to change.');
  };
  useEffect(() => void load(), []);
  const send = async (seconds: number): Promise<void> => {
    const response = await fetch(`/api/config${seconds > 0 ? `?try=${seconds}` : ''}`,
      { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: text });
    const isJSON = response.headers.get('Content-Type') === 'application/json';
    const { afterRestart = [], errors = [], warnings = [] } = isJSON
      ? await response.json() as { errors?: Finding[]; warnings?: Finding[]; afterRestart?: Finding[] }
      : { errors: [{ path: '', text: await response.text() }] };
    setFindings(response.ok ? [...warnings, ...afterRestart] : errors);
    setOnTrial(response.ok && seconds > 0);
    setMessage(!response.ok ? 'Nothing has changed: see below.'
      : seconds > 0 ? `On trial: the one before is back in ${seconds} seconds unless you keep this one. The log says what is in force.`
      : 'Saved and read. The log says what is in force at once, and what after a restart.');
  };
  const keep = async (): Promise<void> => {
    const { confirmed } = await (await post('/api/config/confirm', {})).json() as { confirmed: boolean };
    setOnTrial(false);
    setMessage(confirmed ? 'Kept.' : 'Too late: the one before is back.');
    if (!confirmed)
      await load();
  };
  return (
    <Section title="Configuration">
      <p class="dim">(kept) stands for a secret: leave it, and the secret stays, unless it would go to another broker: then write it out. Comments of the file are lost when you save.</p>
      <label>The file, as JSON
        <textarea spellcheck={false} value={text} onInput={event => setText(event.currentTarget.value)} />
      </label>
      <div class="row">
        <button class="main" onClick={() => void send(TRIAL)}>Try for {TRIAL} seconds</button>
        {isOnTrial && <button onClick={() => void keep()}>Keep</button>}
        <button onClick={() => void send(0)}>Save</button>
      </div>
      <p role="status">{message}</p>
      <ul>{findings.map(finding => <li class="bad"><b>{finding.path}</b> {finding.text}</li>)}</ul>
    </Section>
  );
}
