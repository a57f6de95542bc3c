/** Characters for which the listener closes the connection of a node, in names that somebody asks about. */
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import { hasHalfCharacter } from '../rules/configuration-rules.ts';
import { isPlain } from '../rules/topic-texts.ts';

/** It has control characters or non-characters; or U+0000 or half of a character, which no text of MQTT has. */
export type Flaw = 'unfit' | 'malformed';

/** @returns undefined when nodes may have such a name */
export const flawOf = (name: string): Flaw | undefined =>
  name.includes('\0') || hasHalfCharacter(name) ? 'malformed' : isPlain(name) ? undefined : 'unfit';

/**
 * @param most listener.max_clientid_length
 * @returns why the listener lets in no node with this client identifier, and what to ask with
 */
export function objectionTo(clientid: string, most: number): string | undefined {
  const length = lengthOfUTF8(clientid);
  if (length === 0)
    return 'a node without client identifier gets one of the gateway; ask with that, for example "auto-1"';
  if (length > most)
    return `the listener refuses a client identifier of ${length} bytes, for listener.max_clientid_length is ${most}; `
      + 'ask with a shorter one';
  return flawOf(clientid) === undefined ? undefined
    : 'the listener closes the connection of a node whose client identifier has a control character, a non-character '
      + 'or half of a character; ask with one without';
}
