/**
 * The module `board` on an ESP32: Wi-Fi, and the sensors that are wired to it.
 */
import config from 'mc/config';
import FFI from 'mc/ffi';
import { claimLocalName } from './local-name.ts';
import { log } from './log.ts';
import type { Natives } from './natives.ts';
import { NetworkTime } from './network-time.ts';
import { BoardSensors } from './sensors.ts';
import { Station } from './wifi.ts';
import type { SensorFactory } from '../sensors/sensor-state.ts';

/** A factory, because what is preloaded into flash cannot keep anything. */
export function createSensors(natives: Natives | undefined): SensorFactory {
  const sensors = new BoardSensors(natives!);
  return configuration => sensors.create(configuration);
}

/** The manifest's own names: with the SDK's `ssid` its set-up module would connect, once, and start us only then. */
export function startNetwork(onReady: () => void): Station | undefined {
  const { wifi_password, wifi_ssid } = config;
  if (typeof wifi_ssid === 'string' && wifi_ssid !== '')
    return new Station(wifi_ssid, typeof wifi_password === 'string' ? wifi_password : '', onReady);
  log('no Wi-Fi: build with wifi_ssid=NAME wifi_password=PASSWORD');
  return undefined;
}

/** Every question that is asked in the local network costs some memory for a moment; hence `local_name=off`. */
export function announce(name: string): void {
  const { local_name, sntp } = config;
  if (typeof sntp === 'string' && sntp !== '')
    new NetworkTime(sntp);
  if (local_name !== 'off')
    claimLocalName(name);
}

export { openConfigFlash, openFlashStorage as openStorage } from './flash-storage.ts';

export const hasBrokerHere = false;

/** To be called once. They cannot be made when the module is preloaded. */
export const createNatives = (): Natives => new FFI();

export function restart(): void {
  System.restart!();
}
