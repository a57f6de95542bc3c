/**
 * Places of a configuration, as messages name them.
 */
import { SCHEMA_TABLE } from './schema-table.ts';

/** `listener.users[0].username` */
export function formatPath(steps: readonly (string | number)[]): string {
  return steps.map((step, index) => typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`).join('');
}

/**
 * @param path like `listener.users[].username` @returns its row in the table @throws Error when the schema has no
 * such path
 */
export function rowAt(path: string): number {
  let index = 0;
  for (const step of path.replaceAll('[]', '.[]').split('.')) {
    const row = SCHEMA_TABLE[index]!;
    const at = step === '[]' ? row.items : row.first! + (row.keys?.indexOf(step) ?? -1);
    if (at === undefined || step !== '[]' && !row.keys?.includes(step))
      throw new Error(`the schema has no ${path}`);
    index = at;
  }
  return index;
}

/** Whether what stands under this key must not be repeated: a password, its hash or file, a pre-shared key. */
export const isSecretKey = (key: unknown): boolean =>
  typeof key === 'string' && (key.includes('password') || key.includes('psk'));
