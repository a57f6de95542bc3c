/**
 * npm run soak -- [--days N] [--seed S] [--trace TOPIC]: so many virtual days of a gateway with everything that happens
 * to one. Exit code 1, and what does not hold, if a message is not where it must be. With `--trace a/n0/1` it tells all
 * that happens to the messages of this local topic, and to the gateway.
 */
import { parseArgs } from 'node:util';
import { Campaign, DAY } from './campaign.ts';

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const complain = (line: string): void => void process.stderr.write(`${line}\n`);

export function main(args: string[]): number {
  const options = { days: { type: 'string', default: '30' }, seed: { type: 'string' }, trace: { type: 'string' } } as const;
  const { values } = parseArgs({ args, options });
  const days = Number(values.days);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed);
  if (!(days > 0) || !Number.isInteger(seed)) {
    complain('usage: npm run soak -- [--days N] [--seed S] [--trace TOPIC], N above 0 and S a whole number');
    return 2;
  }
  print(`soaking for ${days} virtual days, seed ${seed}`);
  const start = performance.now();
  const campaign = new Campaign(seed);
  if (values.trace !== undefined) {
    campaign.tracedTopic = values.trace;
    campaign.onTrace = print;
  }
  let day = 0;
  const problems = campaign.run(days, ({ epoch, ledger, now, site }) => {
    if (now < day * DAY)
      return;
    day = Math.floor(now / DAY) + 1;
    print(`${(now / DAY).toFixed(1).padStart(6)} days: ${epoch} epochs, ${site.life} lives, ${ledger.publishedCount} messages`);
  });
  const seconds = Math.round((performance.now() - start) / 1000);
  print(`${(campaign.now / DAY).toFixed(1)} virtual days in ${seconds} s: ${campaign.epoch} epochs, ${campaign.site.life} lives of the `
    + `gateway, ${campaign.ledger.publishedCount} messages`);
  print(campaign.before.toString());
  if (problems.length === 0)
    return 0;
  complain(`seed ${seed}, epoch ${campaign.epoch}, of ${campaign.kindsText}:`);
  for (const problem of problems.slice(0, 20))
    complain(`  ${problem}`);
  return 1;
}
