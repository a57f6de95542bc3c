/** Addresses in numbers, as node:net accepts them. */

/** Four numbers with points between them: none begins with a 0 that it does not need. */
export const isIPv4 = (text: string): boolean =>
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) && text.split('.').every(part => Number(part) < 256);

/** Eight groups of hexadecimal digits, one run of zeros may be left out; the last two may be an IPv4 address. */
export function isIPv6(text: string): boolean {
  const [address = '', zone, ...more] = text.split('%');
  const halves = address.split('::');
  if (halves.length > 2 || more.length > 0 || zone === '')
    return false;
  const groups = halves.flatMap(half => half === '' ? [] : half.split(':'));
  const last = groups.at(-1) ?? '';
  const length = groups.length + (isIPv4(last) && !address.endsWith('::') ? 1 : 0);
  return (halves.length === 2 ? length < 8 : length === 8) && groups.every((group, index) =>
    /^[0-9A-Fa-f]{1,4}$/.test(group) || index === groups.length - 1 && isIPv4(group) && !address.endsWith('::'));
}
