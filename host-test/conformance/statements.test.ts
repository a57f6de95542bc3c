import { describe, expect, it } from 'vitest';
import { describeCoverage, findCode, findTests } from './coverage.ts';
import { DEVIATIONS, REASONS, STATEMENTS } from './statements.ts';

const code = findCode();
const tests = findTests();
const isKnown = (id: string): boolean => STATEMENTS.some(statement => statement.id === id);
const ofServer = STATEMENTS.filter(({ binds, id }) => binds !== 'C' && REASONS[id] === undefined);

describe('the normative statements of MQTT 3.1.1', () => {
  it('are 141, each once', () => {
    expect(new Set(STATEMENTS.map(({ id }) => id)).size).toBe(141);
    expect(STATEMENTS).toHaveLength(141);
  });

  it('that bind a Server stand at the code that keeps them', () => {
    expect(ofServer.filter(({ id }) => !code.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it('that bind a Server have a test that names them', () => {
    expect(ofServer.filter(({ id }) => !tests.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it('that are cited exist', () => {
    expect([...code.keys(), ...tests.keys()].filter(id => !isKnown(id))).toEqual([]);
  });

  it('that have a reason instead are known, and have no test', () => {
    expect(Object.keys(REASONS).filter(id => !isKnown(id) || tests.has(id))).toEqual([]);
  });

  it('from which the program deviates stand at code that says so, have a test of it, and are marked in the table', () => {
    const listed = describeCoverage(code, tests);
    for (const id of Object.keys(DEVIATIONS)) {
      expect(code.get(id)).toContain('session/client-session.ts `takesAnswer`');
      expect(tests.get(id)).toContain('upstream/deviations.test.ts');
      expect(listed).toMatch(new RegExp(`^\\| ${id.replaceAll('.', '\\.')} \\|.*\\*\\*Deviation:\\*\\*`, 'm'));
    }
  });

  it('are listed in STATEMENTS.md as they stand in code and tests; if not, run vitest with -u', async () => {
    await expect(describeCoverage(code, tests)).toMatchFileSnapshot('STATEMENTS.md');
  });
});
