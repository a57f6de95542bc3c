/**
 * What a computer needs before it can build for a board, in the order in which it is installed: what is there, and
 * the next step. The versions are those that were linked together; the SDK itself says which ESP-IDF it wants.
 */
import { join } from 'node:path';

const SDK = '8.2';
const ESP_IDF = '6.0';
const XS_DEV = '0.30';
const NODE = '20.19';

/**
 * What is looked at, so that tests need no SDK. @typedef {object} Computer @property {string} nodeVersion without the
 * "v" @property {Readonly<Record<string, string | undefined>>} environment @property {(path: string) => string |
 * undefined} readText of a file; undefined when there is none @property {(command: string) => string | undefined}
 * versionOf a command's first line for --version; undefined: not there
 */

/**
 * @typedef {object} Finding
 * @property {boolean} isRight
 * @property {string} text what is there
 * @property {string} [next] what to do when it is not right
 */

/** @param {Computer} computer @param {boolean} forBoard false: for the simulator only @returns {Finding[]} */
export function examine(computer, forBoard) {
  const findings = [examineNode(computer), ...examineSDK(computer)];
  return forBoard ? [...findings, ...examineIDF(computer)] : findings;
}

function examineNode({ nodeVersion }) {
  return { isRight: isAtLeast(nodeVersion, NODE), text: `Node ${nodeVersion}`, next: `install Node ${NODE} or later` };
}

function examineSDK({ environment, readText, versionOf }) {
  const { MODDABLE } = environment;
  if (MODDABLE === undefined || MODDABLE === '')
    return [wrong('MODDABLE is not set', `npm install -g xs-dev@${XS_DEV} && xs-dev setup; then open a new terminal`)];
  const version = readText(join(MODDABLE, 'tools/VERSION'))?.trim();
  if (version === undefined)
    return [wrong(`MODDABLE is ${MODDABLE}, where no SDK is`, 'xs-dev setup; then open a new terminal')];
  const sdk = {
    isRight: isOf(version, SDK), text: `Moddable SDK ${version}`,
    next: `this version is built with SDK ${SDK}.x: xs-dev update, or git checkout of that version in ${MODDABLE}`,
  };
  const mcconfig = versionOf('mcconfig') === undefined
    ? wrong('mcconfig is not in PATH',
      `put ${join(MODDABLE, 'build/bin/…/release')} into PATH: xs-dev setup does, then open a new terminal`)
    : { isRight: true, text: 'mcconfig is in PATH' };
  return [sdk, mcconfig];
}

function examineIDF({ environment, readText, versionOf }) {
  const { IDF_PATH } = environment;
  if (IDF_PATH === undefined || IDF_PATH === '')
    return [wrong('IDF_PATH is not set', 'xs-dev setup --device esp32; then open a new terminal')];
  const text = readText(join(IDF_PATH, 'tools/cmake/version.cmake')) ?? '';
  const [major, minor] = ['MAJOR', 'MINOR'].map(part => new RegExp(`IDF_VERSION_${part} (\\d+)`).exec(text)?.[1]);
  if (major === undefined)
    return [wrong(`IDF_PATH is ${IDF_PATH}, where no ESP-IDF is`,
      'xs-dev setup --device esp32; then open a new terminal')];
  const idf = {
    isRight: isOf(`${major}.${minor}`, ESP_IDF), text: `ESP-IDF ${major}.${minor}`,
    next: `SDK ${SDK}.x is made for ESP-IDF ${ESP_IDF}: xs-dev setup --device esp32 with that version`,
  };
  const tool = versionOf('idf.py') === undefined
    ? wrong('idf.py is not in PATH', `. ${join(IDF_PATH, 'export.sh')}`)
    : { isRight: true, text: 'idf.py is in PATH' };
  return [idf, tool];
}

const wrong = (text, next) => ({ isRight: false, text, next });

const isOf = (version, wanted) => version === wanted || version.startsWith(`${wanted}.`);

function isAtLeast(version, least) {
  const [a, b] = [version, least].map(text => text.split('.').map(Number));
  return a[0] > b[0] || a[0] === b[0] && a[1] >= b[1];
}

/** @param {Finding[]} findings @returns {string} lines for people: all that was found, and one next step */
export function describeFindings(findings) {
  const lines = findings.map(({ isRight, text }) => `${isRight ? 'ok     ' : 'missing'}  ${text}`);
  const first = findings.find(({ isRight }) => !isRight);
  return [...lines, first === undefined ? 'everything is there' : `next step: ${first.next}`].join('\n');
}
