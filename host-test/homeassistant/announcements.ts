/** What a configuration announces: topics and payloads, put together as they are sent. */
import { completeConfiguration } from '../../src/config/complete-configuration.ts';
import type { PartialConfiguration } from '../../src/config/configuration.ts';
import { devicesOf } from '../../src/homeassistant/devices.ts';

export const announcementsOf = (configuration: PartialConfiguration): Map<string, string> =>
  new Map(devicesOf(completeConfiguration(configuration), true).list.map(({ components, head, topic }) =>
    [topic, `${head}${components.map(({ mark, rest }) => mark + rest).join(',')}}}`]));
