/**
 * Functions in the folders of the packet path that allocate: why, and how often. Constructors need no entry: they run once
 * per gateway.
 */
export const ALLOCATION_EXCEPTIONS: Readonly<Record<string, string>> = {
};
