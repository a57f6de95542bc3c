/** Runs on XS: prints the lines of the vectors. */
import { forEachVectorLine } from './vector-lines.ts';

declare const print: (line: string) => void;

forEachVectorLine(true, print);
