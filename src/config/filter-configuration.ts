/** The filters of a sensor, as a configuration has them: what they do is in sensors/filters.ts. */

/** Of the last readings. */
export interface WindowConfiguration {
  window_size?: number;
  send_every?: number;
  send_first_at?: number;
}

/** One key of them: see sensors/filters.ts. */
export interface FilterConfiguration {
  offset?: number;
  multiply?: number;
  calibrate_linear?: readonly (readonly number[])[];
  median?: WindowConfiguration;
  min?: WindowConfiguration;
  max?: WindowConfiguration;
  sliding_window_moving_average?: WindowConfiguration;
  throttle?: number;
  delta?: number;
}
