/* What host.c and modules.c offer each other. XS's headers come first. */

#ifndef HOST_H
#define HOST_H

/* Longest error message that names two files. */
#define MESSAGE_CAPACITY (2 * PATH_MAX + 256)

/* Throws a new error of `constructor`, with a message made as by printf. Does not return. */
void throwError(txMachine* the, txSlot* constructor, const char* format, ...)
  __attribute__((noreturn, format(printf, 3, 4)));

/* What modules.c offers to host.c. */
txSize codeSizeOf(txMachine* the, txString path);
const char* codeSizeError(void);

#endif
