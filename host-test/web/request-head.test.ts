import { describe, expect, it } from 'vitest';
import * as Field from '../../src/web/field-names.ts';
import { ABSENT, HEAD_CAPACITY, PUT, RequestHead } from '../../src/web/request-head.ts';
import { latin, request } from './web-world.ts';

const OFFSET = 7;

describe('the head of a request', () => {
  it('keeps what others ask for, without the blanks around it, and nothing of an earlier request', () => {
    const bytes = new Uint8Array(OFFSET + HEAD_CAPACITY);
    const head = new RequestHead(bytes, OFFSET, new Field.FieldNames());
    const valueOf = (field: number): string | undefined => head.lengthOf(field) === ABSENT ? undefined
      : Buffer.from(bytes.subarray(head.offsetOf(field), head.offsetOf(field) + head.lengthOf(field))).toString('latin1');
    const text = latin(request('PUT /a?b', 'Authorization:  Basic YTpi\t', 'CONTENT-TYPE: a/b', 'Content-Length: 3', 'Cookie: c'));
    const after = head.receive(text, 0, text.length);
    expect(after).toBe(text.length);
    expect([head.method, head.contentLength, head.refusal, head.isDone]).toEqual([PUT, 3, 0, true]);
    expect([Field.AUTHORIZATION, Field.CONTENT_TYPE, Field.COOKIE, Field.ORIGIN].map(valueOf))
      .toEqual(['Basic YTpi', 'a/b', 'c', undefined]);
    head.reset();
    expect([Field.AUTHORIZATION, Field.CONTENT_TYPE, Field.COOKIE, Field.HOST].map(valueOf))
      .toEqual([undefined, undefined, undefined, undefined]);
    expect(head.hasBegun).toBe(false);
  });

  it('never writes beyond its region, whatever comes', () => {
    for (const text of ['a'.repeat(6000), `GET / HTTP/1.1\r\n${'a'.repeat(6000)}`, `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(2000)}`,
      '\r\n'.repeat(3000), `GET / HTTP/1.1\r\nA: ${'b'.repeat(2043)}\n\n\n`]) {
      const bytes = new Uint8Array(OFFSET + HEAD_CAPACITY + 100).fill(0xA5);
      const head = new RequestHead(bytes, OFFSET, new Field.FieldNames());
      const all = latin(text);
      for (let at = 0; at < all.length;) // a caller that goes on although it is refused
        at = Math.max(head.receive(all, at, all.length), at + 1);
      expect(head.refusal).toBeGreaterThanOrEqual(400);
      expect(bytes.subarray(0, OFFSET).every(byte => byte === 0xA5)).toBe(true);
      expect(bytes.subarray(OFFSET + HEAD_CAPACITY).every(byte => byte === 0xA5)).toBe(true);
    }
  });
});
