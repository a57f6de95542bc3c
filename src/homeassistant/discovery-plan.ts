/** The memory of discovery: laid out once, for what is announced or, where it may be read again, for more. */
import type { ArenaPlan } from '../bytes/arena.ts';
import { lengthOfUTF8 } from '../bytes/utf8.ts';
import type { Configuration } from '../config/configuration.ts';
import { lengthOfState } from '../store/state-log.ts';
import { AnnouncedCards, type CardsPlan } from './announced-cards.ts';
import { lengthOfCard, lengthOfDevice, ORIGIN } from './device-texts.ts';
import { devicesOf, ownTopicOf, restartTopicOf } from './devices.ts';

export interface DiscoveryPlan {
  /** Topic and payload of the message that is said next. */
  readonly payload: number;
  readonly longestPayload: number;
  /** The card of a device, and behind it what is taken back: twice its bytes. */
  readonly card: number;
  readonly longestCard: number;
  readonly cards: CardsPlan;
  /** What discovery-filters.ts compares with. */
  readonly texts: number;
}

/** For the topic of a device that an earlier configuration has announced. */
const LEAST_CARD = 256;
/** Cards in memory, of devices that are not there any more, beside those of today. */
const SPARE_CARDS = 512;
const LARGEST_CARDS = 65_536;

/** What is compared with topics of the Server, in the order in which they lie in memory. */
export function filterTexts(configuration: Configuration): readonly string[] {
  const { homeassistant } = configuration;
  return homeassistant === null ? []
    : [homeassistant.status_topic, ownTopicOf(configuration), restartTopicOf(configuration),
      `${homeassistant.discovery_topic}/device/+/config`, ORIGIN];
}

export const lengthOfFilterTexts = (configuration: Configuration): number =>
  filterTexts(configuration).reduce((sum, text) => sum + lengthOfUTF8(text), 0);

/** Bytes of topic and payload of the longest announcement; 0: there is none, nor will there be. */
export function longestDiscovery(configuration: Configuration): number {
  const { homeassistant } = configuration;
  return homeassistant === null ? 0 : Math.min(homeassistant.max_payload,
    devicesOf(configuration, true).list.reduce((longest, device) => Math.max(longest, lengthOfDevice(device)),
      LEAST_CARD));
}

/** Devices that an earlier configuration has announced, and those that a later one may. */
const SPARE_ENTRIES = 16;

/** Entries of the store's map. */
export const discoveredEntries = (configuration: Configuration): number => configuration.homeassistant === null ? 0
  : 2 * devicesOf(configuration, true).list.length + SPARE_ENTRIES;

/** Bytes of the store's map: each device has its card, those of before besides for a while. */
export const discoveredLength = (configuration: Configuration): number => configuration.homeassistant === null ? 0
  : 2 * devicesOf(configuration, true).list.reduce((sum, device) => sum + lengthOfState(lengthOfCard(device)), 0)
    + SPARE_ENTRIES * lengthOfState(LEAST_CARD);

/** @param layout for which memory is laid out: as the configuration, or with room for another one */
export function planDiscovery(plan: ArenaPlan, configuration: Configuration, layout: Configuration): DiscoveryPlan {
  const isFixed = layout === configuration;
  const longestPayload = isFixed ? longestDiscovery(layout) : layout.homeassistant!.max_payload;
  const cards = devicesOf(layout, true).list.map(lengthOfCard);
  const longestCard = isFixed ? cards.reduce((longest, length) => Math.max(longest, length), LEAST_CARD)
    : longestPayload;
  const capacity = layout.store.durability === 'flash' ? 0
    : isFixed ? cards.reduce((sum, length) => sum + length + 8, SPARE_CARDS) : LARGEST_CARDS;
  return {
    payload: plan.reserve('homeassistant: an announcement', longestPayload), longestPayload,
    card: plan.reserve('homeassistant: a device', longestCard, 2), longestCard,
    cards: AnnouncedCards.plan(plan, longestCard, capacity),
    texts: plan.reserve('homeassistant: topics', lengthOfFilterTexts(layout)),
  };
}
