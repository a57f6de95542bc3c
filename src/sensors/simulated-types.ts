/** Which simulated sensor stands for one at a pin, where there are no pins: on the host and in the simulator. */

/** By `type` of a sensor's configuration. */
export const STANDS_FOR: Readonly<Record<string, string>> = Object.freeze({
  digital: 'simulated_switch', pulse_count: 'simulated_switch', analog: 'simulated', serial: 'simulated', ntc: 'simulated',
});
