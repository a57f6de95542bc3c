/**
 * What a board says of a stored configuration is what `ringbridge check` says of the same file.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeSchemaTable, schemaTableOfToday } from '../../src/build/schema-table.mjs';
import { Validator, type Violation } from '../../src/config/validator.ts';
import { readConfiguration } from '../../src/host/config.ts';
import { Random } from '../simulation/random.ts';

/** All that the PC says, without the name of the file; its rules speak too when the form is right. */
const onPC = (text: string): string[] => readConfiguration(text, 'f', {}).errors.map(line => line.slice(2));

function onBoard(text: string): string[] {
  const violations: Violation[] = [];
  const bytes = new TextEncoder().encode(text);
  const validator =
    new Validator({ length: bytes.length, read: (target, offset) =>
      target.set(bytes.subarray(offset, offset + target.length)) },
    violation => violations.push(violation));
  expect(validator.validate()).toBe(violations.length === 0);
  return violations.map(({ line, column, path, text: words }) =>
    `${line}:${column}: ${path === '' ? '' : `${path}: `}${words}`);
}

const EXAMPLE =
  /<!-- example -->\n```json\n([\s\S]+?)```/.exec(readFileSync(new URL('../../README.md', import.meta.url),
    'utf8'))![1]!;

describe('the validator of a board', () => {
  it('accepts what the PC accepts', () => {
    for (const text of ['{}', EXAMPLE, ' { } \n',
      '{"topic":[],"sensors":[{"name":"a\\u00e9\\ud83d\\ude00","type":"simulated"}]}', '{"name":"ä€😀"}']) {
      expect(onPC(text)).toEqual([]);
      expect(onBoard(text)).toEqual([]);
    }
  });

  it.each([
    ['a port that is text', '{"listener":{"port":"abc"}}',
      '1:14: listener.port: must be a whole number, not a text in double quotes; write for example 1883 instead'],
    ['a number in quotes', '{"listener":{"port":"1883"}}',
      '1:14: listener.port: must be a whole number, not a text in double quotes; write 1883 instead'],
    ['a fraction', '{"listener":{"port":1883.4}}',
      '1:14: listener.port: must be a whole number, not 1883.4; write 1883 instead'],
    ['a key that was meant otherwise', '{"upstream":{"adress":["mqtt://a"]}}',
      '1:14: upstream.adress: there is no such key; write "address" instead'],
    ['a number smaller than any', '{"listener":{"port":-1e999}}',
      '1:14: listener.port: -1e999 is smaller than any number here; write a number from 0 to 65535 instead'],
    ['a key of another place', '{"certfile":1}',
      '1:2: certfile: there is no such key; it belongs elsewhere: write listener.certfile or page.certfile instead'],
    ['a number out of range', '{\n "store": {"ram":1}}',
      '2:12: store.ram: 1 is too small; write a number from 256 to 67108864 instead'],
    ['one address that is no list', '{"upstream":{"address":"mqtt://a"}}',
      '1:14: upstream.address: must be a list [...], not a text in double quotes; write ["mqtt://a"] instead'],
    ['a choice that is none', '{"store":{"full":"ring"}}',
      '1:11: store.full: "ring" is not known here; write "drop_oldest" or "drop_newest" or "latest_per_topic" instead'],
    ['a sensor without a type', '{"sensors":[{"name":"x"}]}',
      '1:13: sensors[0]: the key "type" is missing; write it as well'],
    ['a secret that is no text', '{"upstream":{"remote_username":"u","remote_password":12345}}',
      '1:36: upstream.remote_password: must be a text in double quotes or null, not a number; write a text in double quotes or null instead'],
    ['too few of a list', '{"upstream":{"restart_timeout":[1]}}',
      '1:14: upstream.restart_timeout: has too few entries; write for example [5,30] instead'],
    ['an empty name', '{"name":""}', '1:2: name: must not be empty; write for example "ringbridge" instead'],
    ['a list in place of the file', '[]',
      '1:1: must be an object {...}, not a list [...]; write an object {...} instead'],
    ['an empty text', ' \n', '1:1: the file is empty; write {} instead for a configuration of defaults'],
    ['a text that is cut', '{"listener":{"port":18',
      '1:23: found the end of the file; write "}" for a "{" that is still open'],
    ['a string that is cut', '{"na', '1:2: this text has no end; write a double quote after it'],
    ['a missing comma', '{"name":"a" "topic":[]}', '1:13: found "\\"topic\\""; write "," in front of it'],
    ['something after the end', '{} x',
      '1:4: "x" is no JSON; write text in double quotes instead, or true, false, null or a number'],
  ])('says of %s what the PC says', (_name, text, words) => {
    expect(onPC(text)[0]).toBe(words);
    expect(onBoard(text)[0]).toBe(words);
  });

  it('knows a name by its code points, whichever way they are written', () => {
    const pair = '\\ud83d\\ude00';
    expect(onBoard(`{"name":"${pair.repeat(64)}"}`)).toEqual([]);
    expect(onBoard(`{"name":"${pair.repeat(65)}"}`)).toEqual(onPC(`{"name":"${pair.repeat(65)}"}`));
  });

  it('tells a key that is there twice', () => {
    expect(onBoard('{"name":"a","name":"b"}')).toEqual(['1:13: name: this key is there twice; write it once instead']);
  });

  it.each([
    ['comments', '{/* why */}', 'a comment; a board needs plain JSON, write none instead'],
    ['a comma after the last entry', '{"name":"a",}',
      'a comma after the last entry; a board needs plain JSON, write none instead'],
    ['brackets without end', `{"name":${'['.repeat(4000)}`, 'too many brackets within each other; write fewer instead'],
  ])('refuses %s, which JSON.parse of a board could not read', (_name, text, words) => {
    expect(onBoard(text)[0]).toContain(words);
  });

  it('refuses bytes that are no UTF-8', () => {
    const bytes = Uint8Array.of(0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D);
    const found: string[] = [];
    const validator =
      new Validator({ length: bytes.length, read: target => target.set(bytes) }, ({ text }) => found.push(text));
    expect(validator.validate()).toBe(false);
    expect(found).toEqual(['this text is not UTF-8; save the file in UTF-8 instead']);
  });

  it('says what the text asks for', () => {
    const text = new TextEncoder().encode('{"listener":{"max_connections":3,"users":[{"username":"a"},{"username":"b"}]},"topic":[{}]}');
    const validator =
      new Validator({ length: text.length, read: (target, offset) =>
        target.set(text.subarray(offset, offset + target.length)) }, () => {});
    expect(validator.validate()).toBe(true);
    expect(validator.numberAt('listener.max_connections', 6)).toBe(3);
    expect(validator.numberAt('listener.max_sessions', 0)).toBe(0);
    expect([validator.countAt('listener.users[]'), validator.countAt('topic[]'),
      validator.countAt('sensors[]')]).toEqual([2, 1, 0]);
    expect(() => validator.countAt('listener.nothing')).toThrow('the schema has no listener.nothing');
  });

  /**
   * Every cut, and thousands of wrong bytes and wrong values: the same verdict and words as on the PC, line and
   * column too.
   */
  it('agrees with the PC on every cut of a configuration', () => {
    for (let length = 0; length < EXAMPLE.trimEnd().length; ++length) {
      const text = EXAMPLE.slice(0, length);
      expect(onBoard(text), text.slice(-30)).toEqual(onPC(text).slice(0, 1));
    }
  });

  it('agrees with the PC on texts with a wrong byte', () => {
    const random = new Random(16);
    const characters = '{}[]:,"\\/ \n\t-+.eE09azntrue#\u0001é😀';
    for (let round = 0; round < 1500; ++round) {
      const at = random.integer(0, EXAMPLE.length - 1);
      const put = [...characters][random.integer(0, [...characters].length - 1)]!;
      const text = EXAMPLE.slice(0, at) + put + EXAMPLE.slice(at + random.integer(0, 2));
      const mine = onBoard(text);
      if (mine.some(line => line.includes('plain JSON')))
        continue; // a computer takes comments and trailing commas
      const theirs = onPC(text);
      if (theirs.some(line => line.includes('twice')))
        continue; // of two values the PC judges the last one
      for (const line of mine)
        expect(theirs, text).toContain(line);
      if (theirs.length > 0 && mine.length === 0) // what the rules refuse has the right form
        expect(() => { JSON.parse(text); }).not.toThrow();
    }
  }, 120_000);

  it('agrees with the PC on values of any kind at every key', () => {
    const values =
      ['null', 'true', '"7"', '"x"', '""', '7', '-1', '7.5', '-0.50', '1e3', '1e999', '-1e999', '[]', '[1]', '["a"]', '{}', '{"x":1}',
        '"true"', `"${'n'.repeat(70)}"`, '1e10'];
    const places: string[] = [];
    const collect =
      (schema: { properties?: Record<string, never>; items?: never }, wrap: (inner: string) => string): void => {
      for (const [key, inner] of Object.entries(schema.properties ?? {})) {
        const place = (text: string): string => wrap(`{${JSON.stringify(key)}:${text}}`);
        places.push(place('\0'));
        collect(inner, place);
      }
      if (schema.items !== undefined) {
        const place = (text: string): string => wrap(`[${text}]`);
        places.push(place('\0'));
        collect(schema.items, place);
      }
    };
    collect(JSON.parse(readFileSync(new URL('../../src/config/config.schema.json', import.meta.url),
      'utf8')) as never, text => text);
    expect(places.length).toBeGreaterThan(70);
    let refused = 0;
    for (const place of places)
      for (const value of values) {
        const text = place.replace('\0', value);
        if (/^\{"(?:listener|upstream)":\[/.test(text)) // several, which only a computer has
          continue;
        const mine = onBoard(text);
        const theirs = onPC(text);
        for (const line of mine)
          expect(theirs, text).toContain(line);
        refused += mine.length > 0 ? 1 : 0;
      }
    expect(refused).toBeGreaterThan(500);
  }, 120_000);
});

describe('the table of the schema', () => {
  it('is that of the schema of today', () => {
    expect(readFileSync(new URL('../../src/config/schema-table.ts', import.meta.url),
      'utf8')).toBe(schemaTableOfToday());
  });

  it.each([
    ['a keyword that the validator does not know',
      { properties: { a: { pattern: 'x' } }, additionalProperties: false },
        'a: the board\'s validator does not know the keyword "pattern"'],
    ['an object that takes any key', { properties: { a: {} } }, '"additionalProperties": false'],
    ['types in another order', { type: ['null', 'string'] }, 'types are named in the order'],
    ['a reference to nothing', { $ref: '#/definitions/a' }, 'there is no #/definitions/a'],
  ])('cannot be made of a schema with %s', (_name, schema, words) => {
    expect(() => makeSchemaTable(schema)).toThrow(words);
  });
});
