import { describe, expect, it } from 'vitest';
import { describeCoverage, findCode, findTests } from './coverage.ts';
import { FIVE } from './statements-five.ts';
import { type Standard, THREE } from './statements.ts';

const earlier = findCode(THREE);

describe.each<[Standard, number, string]>([
  [THREE, 141, 'STATEMENTS.md'],
  [FIVE, 251, 'STATEMENTS-FIVE.md'],
])('the normative statements of MQTT $version', (standard, count, file) => {
  const { deviations, reasons, statements } = standard;
  const code = findCode(standard);
  const tests = findTests(standard);
  const isKnown = (id: string): boolean => statements.some(statement => statement.id === id);
  const ofServer = statements.filter(({ binds, id }) => binds !== 'C' && reasons[id] === undefined);

  it('are so many, each once', () => {
    expect(new Set(statements.map(({ id }) => id)).size).toBe(count);
    expect(statements).toHaveLength(count);
  });

  it('that bind a Server stand at the code that keeps them', () => {
    expect(ofServer.filter(({ as, id }) => !code.has(id) && !(as !== undefined && earlier.has(as)))
      .map(({ id }) => id)).toEqual([]);
  });

  it('that bind a Server have a test that names them', () => {
    expect(ofServer.filter(({ id }) => !tests.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it('that are cited exist', () => {
    expect([...code.keys(), ...tests.keys()].filter(id => !isKnown(id))).toEqual([]);
  });

  it('that have a reason instead are known, and have no test', () => {
    expect(Object.keys(reasons).filter(id => !isKnown(id) || tests.has(id))).toEqual([]);
  });

  it('from which the program deviates stand at code that says so, have a test of it, and are marked in the table', () => {
    const listed = describeCoverage(standard, code, tests, earlier);
    for (const id of Object.keys(deviations)) {
      expect(code.get(id)).toContain('session/client-session.ts `takesAnswer`');
      expect(tests.get(id)).toContain('upstream/deviations.test.ts');
      expect(listed).toMatch(new RegExp(`^\\| ${id.replaceAll('.', '\\.')} \\|.*\\*\\*Deviation:\\*\\*`, 'm'));
    }
  });

  it('are listed in the table as they stand in code and tests; if not, run vitest with -u', async () => {
    await expect(describeCoverage(standard, code, tests, earlier)).toMatchFileSnapshot(file);
  });
});
