/** The links for nodes that have no connection, linked by `nextLink`: the one that was used last is used next. */
import type { Link } from './link.ts';

export class FreeLinks {
  /** Undefined: none is free. */
  first: Link | undefined = undefined;
  count = 0;

  /** A link has become free. */
  add(link: Link): void {
    link.nextLink = this.first;
    this.first = link;
    ++this.count;
  }

  /** The first one, which there is, has got a connection. */
  takeFirst(): void {
    const link = this.first!;
    this.first = link.nextLink;
    link.nextLink = undefined;
    --this.count;
  }
}
