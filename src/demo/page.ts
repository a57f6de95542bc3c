/** The page of the demo: that of any gateway, with a button for the upstream plug. */
import { DEFAULT_PAGE } from '../config/defaults.ts';
import type { Log } from '../host/log.ts';
import { jsonContent } from '../host/page-content.ts';
import { PageOpening } from '../host/page-opening.ts';
import { writable } from '../host/page-resources.ts';
import type { Runtime } from '../io/runtime.ts';
import { POST } from '../web/request-head.ts';
import { findFreePort } from './broker.ts';
import { ADDRESS } from './cast.ts';

const PORT = 8080;
/** Bytes of what pulls the plug. */
const PLUG_CAPACITY = 64;

export interface Plug {
  isIn(): boolean;
  toggle(): void;
}

export async function openDemoPage(runtime: Runtime, log: Log, plug: Plug): Promise<PageOpening> {
  const port = await findFreePort(ADDRESS, PORT);
  const subject = { runtime, isStoreWanted: false, extras: () => ({ isPlugged: plug.isIn() }) };
  const resource = writable('/api/plug', POST, PLUG_CAPACITY, exchange => {
    plug.toggle();
    exchange.answer(200, jsonContent({ isPlugged: plug.isIn() }));
  });
  const configuration = { ...DEFAULT_PAGE, port, address: ADDRESS, allow_publish: true };
  const page = new PageOpening(configuration, subject, log, [resource], () => {});
  await page.open();
  return page;
}
