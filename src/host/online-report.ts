/** What `ringbridge check --online` has found, line by line, and what it ends with. */
import { FAILURE, USAGE_ERROR } from './exit-codes.ts';
import { printable } from './log.ts';

export type Level = 'ok' | 'warning' | 'error';

const WIDTHS = Object.freeze({ level: 7, phase: 9 });

export class Report {
  private worst = 0;
  private readonly print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.print = print;
  }

  add(level: Level, phase: string, text: string): void {
    this.worst = Math.max(this.worst, ['ok', 'warning', 'error'].indexOf(level));
    this.print(printable(`${level.padEnd(WIDTHS.level)} ${phase.padEnd(WIDTHS.phase)} ${text}`));
  }

  /** 0 when all is well, 1 with warnings, 2 with errors. */
  get exitCode(): number {
    return [0, FAILURE, USAGE_ERROR][this.worst]!;
  }
}

/** Lines of what is asked side by side, to be told one after the other. */
export class Findings {
  private readonly list: Parameters<Report['add']>[] = [];

  add(level: Level, phase: string, text: string): void {
    this.list.push([level, phase, text]);
  }

  /** @param isSpare there is another way, so that this one need not work */
  tell(report: Report, isSpare: boolean): void {
    for (const [level, phase, text] of this.list)
      if (isSpare && level === 'error')
        report.add('warning', phase, `${text} (another address works, so it is used)`);
      else
        report.add(level, phase, text);
  }
}
