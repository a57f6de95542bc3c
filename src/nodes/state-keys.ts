/**
 * What a subscription or a retained message is called in the map of the store: a hash of 32 bits, or one of the numbers
 * after it when others have the same. All of them are looked at every time, so a removal leaves no hole that hides
 * another.
 */

/** Names that can have the same hash. */
export const PROBES = 4;
/** No key: none of these is free. No number of 32 bits. */
export const NO_KEY = 4_294_967_296;
