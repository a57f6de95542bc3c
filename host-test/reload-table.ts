/** The table of effects of src/host/README.md, as config/reload-effects.ts says. */
import { AT_ONCE, keyEffects, NEXT_CONNECTION, RECONNECTION, RESTART } from '../src/config/reload-effects.ts';

const EFFECTS: readonly (readonly [effect: number, text: string])[] = [
  [AT_ONCE, 'at once'],
  [NEXT_CONNECTION, 'when upstream is next connected'],
  [RECONNECTION, 'at once: the gateway says DISCONNECT and connects anew'],
  [RESTART, 'not before a restart: one line names it, the old value goes on'],
];

export const reloadTable = (): string => ['| in force | keys |', '|---|---|', ...EFFECTS.map(([effect, text]) =>
  `| ${text} | ${keyEffects().filter(key => key.effect === effect).map(({ path }) => `\`${path}\``).join(', ')} |`),
''].join('\n');
