/**
 * Nodes whose CONNECT has been judged, and whose answer has to wait: who, until when, and what it will be. A place of
 * the pool for each possible connection would be memory that nobody needs: few nodes wait at a time.
 */

/** Nodes that may wait at a time. */
export const POSTPONED_PLACES = 16;
/** Per place: index of the session, or NOBODY; the moment; the verdict. */
const WIDTH = 3;
const MOMENT = 1;
const VERDICT = 2;
const NOBODY = -1;

export class PostponedAnswers {
  /** Nodes that wait. */
  count = 0;
  /** Index of the session that is being answered: it does not wait again. */
  answering = NOBODY;
  private readonly places = new Int32Array(POSTPONED_PLACES * WIDTH).fill(NOBODY);

  /** @param moment of the answer @param verdict a reason code @returns false: there is no place */
  add(session: number, moment: number, verdict: number): boolean {
    const place = this.find(NOBODY);
    if (place < 0)
      return false;
    const { places } = this;
    places[place] = session;
    places[place + MOMENT] = moment;
    places[place + VERDICT] = verdict;
    ++this.count;
    return true;
  }

  has(session: number): boolean {
    return this.count > 0 && this.find(session) >= 0;
  }

  /** @returns index of a session that waits, or one below 0; `place`: from 0 to below POSTPONED_PLACES */
  sessionAt(place: number): number {
    return this.places[place * WIDTH]!;
  }

  momentOf(session: number): number {
    return this.places[this.find(session) + MOMENT]!;
  }

  verdictOf(session: number): number {
    return this.places[this.find(session) + VERDICT]!;
  }

  remove(session: number): void {
    if (!this.has(session))
      return;
    this.places[this.find(session)] = NOBODY;
    --this.count;
  }

  private find(session: number): number {
    const { places } = this;
    for (let place = 0; place < places.length; place += WIDTH)
      if (places[place] === session)
        return place;
    return -1;
  }
}
