/**
 * Which keys an announcement of a device must have, and may have, and what their values are: a table of our own, made
 * from Home Assistant's documentation of MQTT discovery. Shares no code with src.
 */
type Check = (value: unknown) => boolean;

const text: Check = value => typeof value === 'string' && value !== '';
const topic: Check = value => typeof value === 'string' && value !== '' && !/[+#\0]/.test(value);
const count: Check = value => Number.isInteger(value) && (value as number) >= 0;
const template: Check = value => typeof value === 'string' && /^\{\{ .+ \}\}$/.test(value);
const nameOrNull: Check = value => value === null || text(value);
const oneOf = (...choices: readonly string[]): Check => value => choices.includes(value as string);

/** A key with `!` is required. */
type Form = Readonly<Record<string, Check>>;

const AVAILABILITY: Form = { avty: isAvailabilityList, avty_mode: oneOf('all', 'any', 'latest'), avty_t: topic, pl_avail: text, pl_not_avail: text };
const ENTITY: Form = { 'p!': text, 'uniq_id!': text, 'name!': nameOrNull, ic: value => /^[a-z]+:[a-z0-9-]+$/.test(value as string),
  ent_cat: oneOf('diagnostic', 'config'), ...AVAILABILITY };

const PLATFORMS: Readonly<Record<string, Form>> = {
  sensor: { ...ENTITY, 'stat_t!': topic, val_tpl: template, dev_cla: text, unit_of_meas: text,
    stat_cla: oneOf('measurement', 'total', 'total_increasing'), sug_dsp_prc: count, exp_aft: count },
  binary_sensor: { ...ENTITY, 'stat_t!': topic, val_tpl: template, dev_cla: text, pl_on: text, pl_off: text, exp_aft: count },
  switch: { ...ENTITY, 'stat_t!': topic, 'cmd_t!': topic, val_tpl: template, dev_cla: oneOf('outlet', 'switch'), pl_on: text, pl_off: text },
  button: { ...ENTITY, 'cmd_t!': topic, pl_prs: text, dev_cla: oneOf('identify', 'restart', 'update') },
};
const DEVICE: Form = { 'ids!': value => Array.isArray(value) && value.length > 0 && value.every(text), name: text, mf: text, mdl: text,
  sw: text, via_device: text };
const ROOT: Form = { 'o!': value => flawsOf('o', value, { 'name!': text, sw: text, url: text }).length === 0,
  'dev!': value => flawsOf('dev', value, DEVICE).length === 0, 'cmps!': value => Object.keys(value as object).length > 0, ...AVAILABILITY };

function isAvailabilityList(value: unknown): boolean {
  return Array.isArray(value) && value.every(each =>
    flawsOf('avty', each, { 't!': topic, pl_avail: text, pl_not_avail: text }).length === 0);
}

function flawsOf(where: string, value: unknown, form: Form): string[] {
  if (typeof value !== 'object' || value === null)
    return [`${where} is no object`];
  const flaws = Object.keys(form).filter(key => key.endsWith('!') && !(key.slice(0, -1) in value))
    .map(key => `${where}: ${key.slice(0, -1)} is missing`);
  for (const [key, inner] of Object.entries(value)) {
    const check = form[key] ?? form[`${key}!`];
    if (check === undefined)
      flaws.push(`${where}: ${key} is not known`);
    else if (!check(inner))
      flaws.push(`${where}: ${key} is ${JSON.stringify(inner)}`);
  }
  if ('avty' in value && ('avty_t' in value || 'pl_avail' in value))
    flaws.push(`${where}: availability is said twice`);
  return flaws;
}

/** What is wrong with a payload for a topic, in words. */
export function flawsOfAnnouncement(name: string, payload: string): string[] {
  const value = JSON.parse(payload) as { cmps?: Record<string, { p?: string; uniq_id?: string }> };
  const flaws = flawsOf('root', value, ROOT);
  if (!/^[^+#]+\/device\/[A-Za-z0-9_-]+\/config$/.test(name))
    flaws.push(`${name} is no topic of discovery`);
  for (const [key, component] of Object.entries(value.cmps ?? {})) {
    const form = PLATFORMS[component.p ?? ''];
    flaws.push(...form === undefined ? [`${key}: platform ${component.p ?? ''}`] : flawsOf(key, component, form));
    if (!/^[a-z0-9_]+$/.test(key))
      flaws.push(`${key} is no key`);
  }
  const identifiers = Object.values(value.cmps ?? {}).map(({ uniq_id }) => uniq_id);
  if (new Set(identifiers).size !== identifiers.length)
    flaws.push('two components have the same identifier');
  return flaws;
}
