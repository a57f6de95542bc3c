/** What is wrong with a request before anybody asks who sends it: its form, whom it is meant for, what it asks for. */
import { EXPECT } from './field-names.ts';
import type { HTTPContext } from './http-context.ts';
import { POST, PUT, type RequestHead } from './request-head.ts';
import type { Resource } from './resource.ts';

/** @returns 0 when nothing is wrong, else the status of the refusal */
export function statusOf(head: RequestHead, context: HTTPContext, resource: Resource | undefined): number {
  const { own } = context;
  if (head.refusal !== 0)
    return head.refusal;
  if (head.lengthOf(EXPECT) >= 0 && !head.isValue(EXPECT, context.expectation))
    return 417;
  if (!own.isMeant(head))
    return 421;
  if (resource === undefined)
    return 404;
  if ((resource.methods & head.method) === 0)
    return 405;
  if ((head.method & (PUT | POST)) !== 0 && !own.isFromOwnPage(head))
    return 403;
  return resource.isEndless && !context.hasPlaceForEvents() ? 503 : 0;
}
