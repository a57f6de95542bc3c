/** What the connections of the HTTP server share: its memory, its time, what it serves. */
import type { Arena } from '../bytes/arena.ts';
import type { ExactViews } from '../io/exact-view.ts';
import type { Scheduler } from '../io/scheduler.ts';
import type { TCPConstructor } from '../io/transport.ts';
import type { Clock } from '../session/clock.ts';
import type { AcceptedForms } from './accepted-forms.ts';
import type { FieldNames } from './field-names.ts';
import type { OwnHost } from './own-host.ts';
import type { Gate } from './resource.ts';
import type { Resources } from './resources.ts';
import type { ResponseWriter } from './response-writer.ts';

export interface HTTPContext {
  readonly arena: Arena;
  readonly views: ExactViews;
  readonly buffer: ExactViews['buffer'];
  readonly length: number;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly TCP: TCPConstructor;
  readonly names: FieldNames;
  readonly own: OwnHost;
  readonly resources: Resources;
  readonly gate: Gate;
  readonly writer: ResponseWriter;
  readonly forms: AcceptedForms;
  /** `100-continue` */
  readonly expectation: Uint8Array;
  nextTicket(): number;
  /** Whether one more connection may be for events. */
  hasPlaceForEvents(): boolean;
}
