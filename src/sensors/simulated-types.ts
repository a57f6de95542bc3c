/** Which simulated sensor stands for one that needs a board, where there is none: on the host and in the simulator. */

/** By `type` of a sensor's configuration. */
export const STANDS_FOR: Readonly<Record<string, string>> = Object.freeze({
  digital: 'simulated_switch', pulse_count: 'simulated_switch',
  analog: 'simulated', serial: 'simulated', ntc: 'simulated',
  aht10: 'simulated', sht3x: 'simulated', shtc3: 'simulated', si7020: 'simulated',
  bmp280: 'simulated', bme68x: 'simulated', tmp117: 'simulated', tmp102: 'simulated', lm75: 'simulated',
});
