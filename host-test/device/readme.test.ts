/** What the README of the boards proposes to copy is what a board takes. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BOARDS } from '../../src/host/board-memory.ts';
import { refusalsOfBoard } from '../../src/host/board-reading.ts';
import { findOverflow } from '../../src/host/check.ts';
import { readConfiguration } from '../../src/host/config.ts';

const readme = readFileSync(new URL('../../src/device/README.md', import.meta.url), 'utf8');

test('the configuration for an ESP32-C3 is one that this board reads and has the memory for', () => {
  const text = /<!-- esp32c3 -->\n```json\n([^]*?)```/.exec(readme)![1]!;
  const { configuration, errors } = readConfiguration(text, 'c3.json', {});
  expect(errors).toEqual([]);
  expect(refusalsOfBoard(text, 'c3.json', configuration!, 'esp32c3')).toEqual([]);
  expect(findOverflow(configuration!, 'esp32c3')).toBeUndefined();
});

test('every board whose memory is known is named', () => {
  for (const board of Object.keys(BOARDS))
    expect(readme).toContain(`\`${board}\``);
});
