/**
 * The status codes that the server answers with by itself: the phrase of the status line, and a sentence for the body
 * that says what to do. [RFC9110-15]
 */

export interface StatusText {
  readonly status: number;
  readonly phrase: string;
  /** Empty: there is none, because a resource gives the body. */
  readonly advice: string;
}

const text = (status: number, phrase: string, advice = ''): StatusText => Object.freeze({ status, phrase, advice });

export const STATUS_TEXTS: readonly StatusText[] = Object.freeze([
  text(200, 'OK'),
  text(202, 'Accepted'),
  text(304, 'Not Modified'),
  text(400, 'Bad Request', 'this is no request that can be read in one way only; send plain HTTP/1.1: one Host, one Content-Length, lines that end in CR LF'),
  text(401, 'Unauthorized', 'a password is needed: log in on the page, or use basic authentication with any user name'),
  text(403, 'Forbidden', 'this was sent by the page of another site; only this page, and programs that are no browser, may change something'),
  text(404, 'Not Found', 'there is nothing here; the page is at /, its programming interface in /api/openapi.json'),
  text(405, 'Method Not Allowed', 'this resource does not take that method; Allow says which it takes'),
  text(408, 'Request Timeout', 'the request did not arrive in time; send it in one go'),
  text(409, 'Conflict'),
  text(411, 'Length Required', 'say with Content-Length how long the body is'),
  text(413, 'Content Too Large', 'the body is longer than this resource takes: a configuration may have 262144 bytes, a message to publish 131072, a password with what is around it 4096, anything else 1024'),
  text(414, 'URI Too Long', 'the request line may have 512 bytes'),
  text(415, 'Unsupported Media Type', 'send JSON, and say so: "Content-Type: application/json"'),
  text(417, 'Expectation Failed', 'only "Expect: 100-continue" is known'),
  text(421, 'Misdirected Request', 'the name in Host is none of this gateway; use its address, as in http://192.168.1.20/'),
  text(422, 'Unprocessable Content'),
  text(429, 'Too Many Requests', 'too many wrong passwords; wait a minute'),
  text(431, 'Request Header Fields Too Large', 'there may be 40 header lines of 2048 bytes together; delete the cookies of this host'),
  text(500, 'Internal Server Error', 'a defect of ringbridge, please report it'),
  text(501, 'Not Implemented', 'only GET, HEAD, PUT and POST are known, with Content-Length instead of Transfer-Encoding'),
  text(503, 'Service Unavailable', 'there is no place, or no answer, at the moment; ask again in a few seconds'),
  text(505, 'HTTP Version Not Supported', 'send HTTP/1.1'),
]);
