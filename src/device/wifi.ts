/**
 * Keeps the board in its Wi-Fi network. The driver connects once and never again by itself, and refuses a second
 * `connect` while the first one has not come to an end; so it is looked at from time to time, and told to connect when
 * it does nothing, or anew when it has tried in vain for long. Knows nothing of MQTT.
 */
import WiFi from 'embedded:network/interface/wifi';
import Timer from 'timer';
import { describeError, log } from './log.ts';

const DISCONNECTED = 200;
const READY = 500;

const CHECK_INTERVAL = 2000;
/** Checks, not milliseconds: joining and getting an address takes seconds. */
const PATIENCE = 15;

export class Station {
  private readonly wifi: WiFi;
  private readonly options: { SSID: string; password?: string };
  private readonly onReady: () => void;
  private isReady = false;
  private checksSinceConnect = 0;

  /** @param onReady called whenever there is an address, after there was none */
  constructor(ssid: string, password: string, onReady: () => void) {
    this.options = password === '' ? { SSID: ssid } : { SSID: ssid, password };
    this.onReady = onReady;
    this.wifi = new WiFi({ onChanged: () => this.changed() });
    this.connect();
    Timer.repeat(() => this.check(), CHECK_INTERVAL);
  }

  /** In dBm; 0 while there is no network. */
  get signal(): number {
    return this.isReady ? this.wifi.RSSI ?? 0 : 0;
  }

  private changed(): void {
    const isReady = this.wifi.connection === READY;
    if (isReady === this.isReady)
      return;
    this.isReady = isReady;
    if (!isReady) {
      log('Wi-Fi lost');
      return;
    }
    log(`Wi-Fi ready, address ${this.wifi.address}`);
    this.onReady();
  }

  private check(): void {
    this.changed();
    if (this.isReady)
      return;
    const { connection } = this.wifi;
    if (connection === DISCONNECTED || ++this.checksSinceConnect >= PATIENCE)
      this.connect();
  }

  private connect(): void {
    this.checksSinceConnect = 0;
    try {
      if (this.wifi.connection !== DISCONNECTED)
        this.wifi.disconnect();
      this.wifi.connect(this.options);
    } catch (error) {
      log(`Wi-Fi: ${describeError(error)}`);
    }
  }
}
