/** The pages of docs/sensors, made of the tables of the source: one for each type, and the list of them. */
import type { SensorConfiguration } from '../src/config/configuration.ts';
import { type Quantity, SENSOR_TYPES, type SensorType, sensorTypeOf } from '../src/config/sensor-types.ts';
import { type CatalogEntry, QUANTITY_CATALOG, SENSOR_CATALOG } from '../src/host/sensor-catalog.ts';

const GENERATED = '<!-- Generated from src/host/sensor-catalog.ts and src/config/sensor-types.ts: npm run figures -->\n';

/** How each was tried. Nothing has been tried on hardware. */
function triedOf(type: string, { addresses }: SensorType): string {
  if (type.startsWith('simulated'))
    return 'in tests, in the simulator and on a PC; it needs no hardware.';
  if (addresses !== undefined || type === 'ds18b20' || type === 'modbus')
    return 'its driver against a simulated part that speaks its data sheet (registers, timing, checksums, faults), in tests, in '
      + 'the simulator and on a PC. **Not yet on hardware.**';
  return 'its code for the board against stand-ins for what the chip has, in tests; in the simulator and on a PC with made-up '
    + 'values. **Not yet on hardware.**';
}

/** What the page proposes to write. */
export function exampleOf(type: string): Partial<SensorConfiguration> {
  const { example } = SENSOR_CATALOG[type]!;
  return { name: type, type, topic: `sensors/${example.quantity ?? type}`, ...example };
}

const listed = (entries: readonly string[]): string => entries.map(entry => `* ${entry}\n`).join('');
const dash = (text: string): string => text === '' ? '–' : text;

function rowOf(quantity: Quantity, { ranges = {} }: CatalogEntry): string {
  const { deviceClass, stateClass, unit } = QUANTITY_CATALOG[quantity];
  return `| \`${quantity}\` | ${unit} | ${dash(deviceClass)} | ${stateClass} | ${dash(ranges[quantity] ?? '')} |\n`;
}

function pageOf(type: string): string {
  const entry = SENSOR_CATALOG[type]!;
  const kind = sensorTypeOf(type)!;
  const { addresses, quantities } = kind;
  const { duration, notes = [], title, wiring } = entry;
  const places = addresses === undefined ? [] : [`\`address\`: ${addresses.map((address, index) =>
    `${address} (0x${address.toString(16)})${index === 0 ? ' by default' : ''}`).join(', ')}`];
  const measured = quantities === undefined ? 'One number, of whatever it is.\n'
    : '| `quantity` | unit | device class | state class | range |\n|---|---|---|---|---|\n'
      + quantities.map(quantity => rowOf(quantity, entry)).join('')
      + (quantities.length > 1 ? `\nEach quantity is one sensor of the configuration; without \`quantity\` it is \`${quantities[0]}\`. `
        + 'Those of one part share its measurement.\n' : '');
  return `${GENERATED}# \`${type}\`\n\n${title}.\n\n## Wiring\n\n${listed([...wiring, ...places])}\n## Configuration\n\n\`\`\`json\n${
    JSON.stringify(exampleOf(type), null, 2)}\n\`\`\`\n\nWhat every sensor takes, and what happens when it fails: [README.md](README.md).\n\n`
    + `## What it publishes\n\n${measured}${duration === undefined ? ''
      : `\nA measurement takes ${duration} ms, in which everybody else is served.\n`}${notes.map(note => `\n${note}\n`).join('')}`
    + `\n## How it was tried\n\nTried: ${triedOf(type, kind)}\n`;
}

const INDEX = `${GENERATED}# Sensors

| \`type\` | what it is | measures |
|---|---|---|
${SENSOR_TYPES.map(type => `| [\`${type}\`](${type}.md) | ${SENSOR_CATALOG[type]!.title} | ${
    sensorTypeOf(type)!.quantities?.join(', ') ?? '–'} |\n`).join('')}
Every sensor takes \`name\`, \`type\`, \`topic\`, \`interval\`, \`decimals\`, \`retain\`, \`format\`, \`quantity\`, \`expire_after\`, and in this
order changes what it has read: \`scale\`, \`offset\`, \`filters\` one after the other, \`deadband\`. With \`heartbeat\` the last value is
published again after so many seconds, though filters or \`deadband\` hold back what has been read. \`ringbridge check --board NAME\`
says what cannot work on a chip.

## Filters

\`"filters": [ { "median": { "window_size": 5, "send_every": 1 } }, { "delta": 0.1 } ]\`, each with one key, named as in ESPHome:

| filter | what goes on |
|---|---|
| \`offset\`, \`multiply\` | the value plus, or times, this |
| \`calibrate_linear\` | \`[[read, right], …]\`: the line through two points, from one to the next of up to 16, and on beyond the ends |
| \`median\`, \`min\`, \`max\` | of the last \`window_size\` (5) values, with every \`send_every\`th (5), first with the \`send_first_at\`th (1) |
| \`sliding_window_moving_average\` | the mean, likewise, of 15. With \`send_every\` as large as the window it is the mean of each window |
| \`throttle\` | a value, then none for so many seconds |
| \`delta\` | a value that differs by so much from the last one that went on |

ESPHome's \`heartbeat\` is a key of the sensor here.

## When a sensor fails

A part that does not answer, a wrong checksum, a value that the part cannot measure, a bus that is held low: nothing is published. Log
and status say why (\`sensors[].fault\`), the status counts it (\`faults\`), and it is asked less and less often, up to 32 intervals
apart, until it works again. A bus that is held low is freed by nine clocks. Others go on: no driver waits for its part.
`;

/** By file name. */
export const sensorPages = (): ReadonlyMap<string, string> =>
  new Map([['README.md', INDEX], ...SENSOR_TYPES.map((type): [string, string] => [`${type}.md`, pageOf(type)])]);
