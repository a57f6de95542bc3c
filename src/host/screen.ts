/**
 * The terminal: takes it over, draws frames in place, passes keys on, and gives it back as it was, whatever happens.
 * Knows nothing of what it shows.
 */
import type { ViewSize } from './frame.ts';

const ENTER = '\x1b[?1049h\x1b[?25l'; // alternate screen, no cursor
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';

/** Milliseconds between frames. */
const FRAME_INTERVAL = 250;

/** Of a terminal that does not tell its size. */
const USUAL = { columns: 80, rows: 24 };

export const INTERRUPT = '\x03';

export class Screen {
  private readonly input: NodeJS.ReadStream;
  private readonly output: NodeJS.WriteStream;
  private readonly draw: (size: ViewSize) => string;
  private readonly onKey: (key: string) => void;
  private readonly colour: boolean;
  private drawing: NodeJS.Timeout | undefined;
  private lastFrame = '';
  private isOpen = false;

  /** @param draw gives a frame for the size that the terminal has now */
  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, draw: (size: ViewSize) => string,
    onKey: (key: string) => void) {
    this.input = input;
    this.output = output;
    this.draw = draw;
    this.onKey = onKey;
    this.colour = (process.env['NO_COLOR'] ?? '') === '';
  }

  /** A screen that can be drawn on; else plain lines are the way. */
  static isPossible(output: NodeJS.WriteStream): boolean {
    return output.isTTY && process.env['TERM'] !== 'dumb';
  }

  open(): void {
    this.isOpen = true;
    process.on('exit', this.close);
    this.output.write(ENTER);
    this.output.on('resize', this.redraw);
    if (this.input.isTTY) {
      this.input.setRawMode(true);
      this.input.on('data', this.receive).resume();
    }
    this.drawing = setInterval(this.drawFrame, FRAME_INTERVAL);
    this.drawFrame();
  }

  readonly close = (): void => {
    if (!this.isOpen)
      return;
    this.isOpen = false;
    process.off('exit', this.close);
    clearInterval(this.drawing);
    this.output.off('resize', this.redraw);
    if (this.input.isTTY) {
      this.input.off('data', this.receive).pause();
      this.input.setRawMode(false);
    }
    this.output.write(LEAVE);
  };

  private readonly receive = (bytes: Buffer): void => {
    const text = bytes.toString('latin1');
    if (text.startsWith('\x1b')) // an arrow or a function key; what follows are no letters
      return;
    for (const key of text)
      this.onKey(key);
  };

  private readonly redraw = (): void => {
    this.lastFrame = '';
    this.drawFrame();
  };

  /** Nothing is written that is there already, nor to a terminal that does not keep up. */
  private readonly drawFrame = (): void => {
    const { colour, output } = this;
    if (!this.isOpen || output.writableNeedDrain)
      return;
    const frame = this.draw({ columns: output.columns || USUAL.columns, rows: output.rows || USUAL.rows, colour });
    if (frame === this.lastFrame)
      return;
    this.lastFrame = frame;
    output.write(HOME + frame.split('\n').join(`${CLEAR_LINE}\r\n`) + CLEAR_LINE + CLEAR_REST);
  };
}
