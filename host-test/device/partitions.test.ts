/**
 * The partition tables and options that a board is flashed with, because they cannot be changed over the air.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { makeBoardOptions } from '../../src/build/board-options.mjs';
import { CONFIG_PARTITION_LENGTH } from '../../src/device/config-slots.ts';

const device = fileURLToPath(new URL('../../src/device', import.meta.url));

interface Partition { name: string; type: string; subtype: string; offset: number; size: number }

const read = (file: string): Partition[] => readFileSync(join(device, file), 'utf8').split('\n')
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(line => line.split(',').map(field => field.trim()))
  .map(([name, type, subtype, offset, size]) =>
    ({ name: name!, type: type!, subtype: subtype!, offset: Number(offset), size: Number(size) }));

const MEGABYTE = 1024 * 1024;

describe.each([['partitions.csv', 4], ['partitions-8mb.csv', 8], ['partitions-16mb.csv', 16]] as const)('%s',
  (file, megabytes) => {
  const table = read(file);
  const sizeOf = (name: string): number => table.find(partition => partition.name === name)!.size;

  it('has what an update, a crash, certificates, the configuration and the store need', () => {
    expect(table.map(({ name, type, subtype }) => `${name} ${type} ${subtype}`)).toEqual([
      'nvs data nvs', 'otadata data ota', 'ota_0 app ota_0', 'ota_1 app ota_1', 'coredump data coredump',
        'certs data 0x42', 'config data 0x41', 'store data 0x40',
    ]);
    expect([sizeOf('otadata'), sizeOf('coredump'), sizeOf('config')]).toEqual([0x2000, 0x10000,
      CONFIG_PARTITION_LENGTH]);
    expect(sizeOf('nvs')).toBeGreaterThanOrEqual(0x3000);
    expect(sizeOf('store')).toBeGreaterThanOrEqual(0xF0000);
    expect(sizeOf('ota_0')).toBe(sizeOf('ota_1'));
    expect(sizeOf('ota_0')).toBeGreaterThanOrEqual(0x170000);
  });

  it('has partitions that do not overlap, where the flash can have them', () => {
    let end = 0x9000; // the bootloader and this table
    for (const { name, offset, size, type } of table) {
      expect(offset, name).toBeGreaterThanOrEqual(end);
      expect(offset % (type === 'app' ? 0x10000 : 0x1000), name).toBe(0);
      expect(size % 0x1000, name).toBe(0);
      end = offset + size;
    }
    expect(end).toBeLessThanOrEqual(megabytes * MEGABYTE);
  });
});

describe('the options of a board', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringbridge-options-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** An SDK with one target that has options of its own. */
  function optionsOf(target: string, own: string | undefined): { text: string; release: string; partitions: string } {
    const path = join(folder, 'build/devices/esp32/targets/own');
    mkdirSync(join(path, 'sdkconfig'), { recursive: true });
    writeFileSync(join(path, 'manifest.json'),
      JSON.stringify({ build: own === undefined ? {} : { SDKCONFIGPATH: './sdkconfig' } }));
    writeFileSync(join(path, 'sdkconfig/sdkconfig.defaults'), own ?? '');
    const { PARTITIONS_FILE, SDKCONFIGPATH } =
      makeBoardOptions({ moddable: folder, target, device, output: join(folder, 'out') });
    return {
      text: readFileSync(join(SDKCONFIGPATH, 'sdkconfig.defaults'), 'utf8'),
      release: readFileSync(join(SDKCONFIGPATH, 'sdkconfig.defaults.release'), 'utf8'),
      partitions: PARTITIONS_FILE,
    };
  }

  it('keep those of the target, and ours come after them', () => {
    const { partitions, release, text } = optionsOf('esp32/own', 'CONFIG_SPIRAM=y\nCONFIG_ESPTOOLPY_FLASHSIZE_8MB=y\n');
    expect(text.indexOf('CONFIG_SPIRAM=y')).toBeGreaterThanOrEqual(0);
    expect(text.indexOf('CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=y')).toBeGreaterThan(text.indexOf('CONFIG_SPIRAM=y'));
    expect(text).toContain('CONFIG_BOOTLOADER_SKIP_VALIDATE_ALWAYS=n');
    expect(release).toContain('CONFIG_ESP_TASK_WDT_PANIC=y');
    expect(release).toContain('CONFIG_ESP_INT_WDT=y');
    expect(partitions).toBe(join(device, 'partitions-8mb.csv'));
  });

  it.each([['esp32', undefined, 'partitions.csv'], ['esp32/own', undefined, 'partitions.csv'],
    ['esp32/own', 'CONFIG_ESPTOOLPY_FLASHSIZE_16MB=y', 'partitions-16mb.csv'],
      ['esp32/own', 'CONFIG_ESPTOOLPY_FLASHSIZE_32MB=y', 'partitions-16mb.csv']])(
    'name the table for the flash of %s (%s)', (target, own, table) => {
      expect(optionsOf(target, own).partitions).toBe(join(device, table));
    });

  it('refuse a board whose flash is too small for two programs', () => {
    expect(() => optionsOf('esp32/own', 'CONFIG_ESPTOOLPY_FLASHSIZE_2MB=y')).toThrow('esp32/own has 2 MB of flash');
  });

  it('burn no fuse', () => {
    for (const file of ['sdkconfig.defaults', 'sdkconfig.defaults.release'])
      expect(readFileSync(join(device, file),
        'utf8')).not.toMatch(/^CONFIG_(SECURE_BOOT|SECURE_FLASH|NVS_ENCRYPTION).*=y/m);
  });
});
