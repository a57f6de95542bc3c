/** The page: who may see it, which view is shown, and the frame around it. The view stands behind # in the address. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Configuration } from './configuration.tsx';
import { Model } from './model.ts';
import { About, Log, Nodes, Overview, Rules, Store, Upstream } from './views.tsx';

const VIEWS = [
  ['overview', 'Overview', Overview], ['nodes', 'Nodes', Nodes], ['rules', 'Topics', Rules], ['store', 'Store', Store],
  ['upstream', 'Upstream', Upstream], ['log', 'Log', Log], ['configuration', 'Configuration', Configuration],
  ['about', 'About', About],
] as const;

const model = new Model();

function Login() {
  const [problem, setProblem] = useState('');
  const [password, setPassword] = useState('');
  return (
    <main>
      <section aria-label="Log in">
        <h1>Ringbridge</h1>
        <form onSubmit={event => {
          event.preventDefault();
          void model.logIn(password).then(text => setProblem(text ?? ''), () => setProblem('The gateway does not answer.'));
        }}>
          <label>Password <input type="password" autocomplete="current-password" autofocus required value={password}
            onInput={event => setPassword(event.currentTarget.value)} /></label>
          <button class="main" type="submit">Log in</button>
        </form>
        <p class="bad" role="alert">{problem}</p>
      </section>
    </main>
  );
}

function Page() {
  const [, setTick] = useState(0);
  const [name, setName] = useState(location.hash.slice(1));
  useEffect(() => {
    const onHash = (): void => setName(location.hash.slice(1));
    addEventListener('hashchange', onHash);
    const leave = model.subscribe(() => setTick(tick => tick + 1));
    return () => {
      removeEventListener('hashchange', onHash);
      leave();
    };
  }, []);
  useEffect(() => document.querySelector('nav a[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }),
    [name, model.access]);
  if (model.access === 'closed')
    return <Login />;
  const [shown, , Shown] = VIEWS.find(([view]) => view === name) ?? VIEWS[0];
  const { view } = model;
  return (
    <>
      <header>
        <h1>{view?.name ?? 'Ringbridge'} <small>{view === undefined ? 'a gateway' : `Ringbridge ${view.version}`}</small></h1>
        <nav aria-label="Views">
          {VIEWS.map(([id, title]) => <a href={`#${id}`} aria-current={id === shown ? 'page' : undefined}>{title}</a>)}
        </nav>
      </header>
      {!model.isConnected && <p class="lost" role="alert">No news from the gateway; trying again …</p>}
      <main>{view === undefined ? <p class="dim">Waiting for the first figures …</p> : <Shown model={model} view={view} key={shown} />}</main>
    </>
  );
}

render(<Page />, document.getElementById('page')!);
void model.start();
