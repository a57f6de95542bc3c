/** What the views are made of: numbers and times in words, tables that become cards on a narrow screen, curves. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

export function bytes(count: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  let unit = 0;
  while (count >= 10_000 && unit < units.length - 1) {
    count /= 1024;
    ++unit;
  }
  return `${Math.round(count).toLocaleString('en')} ${units[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds < 120)
    return `${Math.round(seconds)} s`;
  if (seconds < 7200)
    return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

export const perSecond = (rate: number): string => `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;

export const whole = (count: number): string => count.toLocaleString('en');

export const Section = ({ children, title }: { title: string; children: ComponentChildren }) => (
  <section aria-label={title}><h2>{title}</h2>{children}</section>
);

export const Facts = ({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl>{facts.map(([name, value]) => [<dt>{name}</dt>, <dd>{value}</dd>])}</dl>
);

export interface Column<Row> {
  readonly label: string;
  readonly isNumber?: boolean;
  readonly of: (row: Row) => ComponentChildren;
}

export function Table<Row>({ caption, columns, empty, rows }: {
  caption: string; columns: readonly Column<Row>[]; rows: readonly Row[]; empty: string;
}) {
  if (rows.length === 0)
    return <p class="dim">{empty}</p>;
  return (
    <div class="scroll">
      <table class="wide">
        <caption>{caption}</caption>
        <thead><tr>{columns.map(({ isNumber, label }) => <th scope="col" class={isNumber ? 'number' : ''}>{label}</th>)}</tr></thead>
        <tbody>
          {rows.map(row => (
            <tr>
              {columns.map(({ isNumber, label, of }, index) => index === 0 ? <th scope="row">{of(row)}</th>
                : <td class={isNumber ? 'number' : ''} data-label={label}>{of(row)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface Curve {
  readonly label: string;
  /** Name of a variable of the style. */
  readonly colour: string;
  /** Null: there is none for that moment. */
  readonly values: readonly (number | null)[];
}

const colourOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);

const timeOfDay = (time: number): string => new Date(time * 1000).toTimeString().slice(0, 8);

/** A curve over time; what it says now stands beside it in words, for whoever does not see it. */
export function Chart({ curves, isFromZero = true, label, times }: {
  label: string; times: readonly number[]; curves: readonly Curve[]; isFromZero?: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current!;
    const probe = document.createElement('span'); // light-dark() is resolved for a colour in use only
    element.append(probe);
    const resolve = (name: string): string => {
      probe.style.color = colourOf(name);
      return getComputedStyle(probe).color;
    };
    const axis = { stroke: resolve('--dim'), grid: { stroke: resolve('--line'), width: 1 }, ticks: { stroke: resolve('--line'), width: 1 } };
    const made = plot.current = new uPlot({
      width: element.clientWidth, height: 180, cursor: { show: false }, legend: { show: false },
      scales: isFromZero ? { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } } : {},
      axes: [
        { ...axis, space: 90, incrs: [5, 10, 30, 60, 120], values: (_plot, ticks) => ticks.map(timeOfDay) },
        { ...axis, size: 56 },
      ],
      series: [{}, ...curves.map(({ colour, label: name }) => ({ label: name, stroke: resolve(colour), width: 2, points: { show: false } }))],
    }, [[], ...curves.map(() => [])], element);
    probe.remove();
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 180 }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData([[...times], ...curves.map(({ values }) => [...values])]), [times.at(-1)]);
  return (
    <figure style={{ margin: 0 }}>
      <figcaption>
        {curves.map(({ colour, label: name, values }) => (
          <span style={{ color: `var(${colour})`, marginRight: '1rem' }}>■ {name}: {(values.at(-1) ?? 0).toFixed(1)}</span>
        ))}
      </figcaption>
      <div class="chart" ref={place} role="img" aria-label={label} />
    </figure>
  );
}
