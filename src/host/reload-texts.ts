/** What has become of a configuration that was read again, in lines of the log. */
import { AT_ONCE, NEXT_CONNECTION, RECONNECTION, valueAt } from '../config/reload-effects.ts';
import type { ReloadPlan } from '../io/reload.ts';
import type { LogLevel } from '../config/configuration.ts';
import type { FurtherPlan } from './further-upstreams.ts';
import type { WholePlan } from './gateways.ts';

interface Line {
  readonly level: LogLevel;
  readonly text: string;
}

const EFFECTS: readonly (readonly [effect: number, text: string])[] = [
  [AT_ONCE, 'in force now'], [NEXT_CONNECTION, 'in force when upstream is next connected'],
  [RECONNECTION, 'in force now, upstream is connected anew'],
];

/** @param causesOf the written keys that a key follows which nobody has written */
export function describeReload(
  { changes, configuration, refusals }: ReloadPlan, causesOf: (path: string) => readonly string[] = () => [],
): readonly Line[] {
  const named = (path: string): string => {
    const causes = causesOf(path);
    return causes.length === 0 ? path : `${path} (not written, it follows ${causes.join(' and ')})`;
  };
  const lines: Line[] = EFFECTS.flatMap(([effect, text]) => {
    const paths = changes.filter(change => change.effect === effect).map(({ path }) => named(path));
    return paths.length === 0 ? [] : [{ level: 'info' as const, text: `${paths.join(', ')}: ${text}` }];
  });
  for (const { path, text } of refusals)
    lines.push({ level: 'warning', text: `${named(path)}: ${text}; until then it is as before${valueOf(valueAt(configuration, path))}` });
  return lines.length > 0 ? lines : [{ level: 'info', text: 'the configuration says the same as before' }];
}

const AFTER_A_RESTART: Line = { level: 'warning', text: 'takes effect after a restart; until then it is as before' };

/** Of further listeners and upstreams, what is another one. */
export const describeFurther = ({ further, hasOtherListeners }: Pick<WholePlan, 'further' | 'hasOtherListeners'>):
readonly Line[] => [
  ...hasOtherListeners ? [{ ...AFTER_A_RESTART, text: `listener (all but the first one): ${AFTER_A_RESTART.text}` }] : [],
  ...further.flatMap(describeUpstream),
];

const describeUpstream = ({ name, plan }: FurtherPlan): readonly Line[] => {
  const lines: readonly Line[] = plan === undefined ? [AFTER_A_RESTART]
    : plan.changes.length + plan.refusals.length === 0 ? [] : describeReload(plan);
  return lines.map(({ level, text }) => ({ level, text: `upstream "${name}": ${text}` }));
};

/** Lists and objects are too long for a line, and may hold what must stay secret, as texts may. */
const valueOf = (value: unknown): string => typeof value === 'number' ? `, ${value}` : '';
