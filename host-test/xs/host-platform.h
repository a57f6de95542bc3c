/*
 * What XS asks of the platform it is compiled for, answered for a Linux computer. XS includes this
 * file wherever it would include the port to a board (-DXSPLATFORM).
 *
 * Names starting with "mx" are switches XS looks for. Every "mxUseDefault..." takes XS's own version
 * of a service; the services without such a switch are in host.c.
 */

#ifndef HOST_PLATFORM_H
#define HOST_PLATFORM_H

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#undef mxLinux
#define mxLinux 1

#define mxUseGCCAtomics 1
#define mxUsePOSIXThreads 1

/* Fields added to XS's machine. The three "waiter" fields belong to XS's Atomics. */
#define mxMachinePlatform \
  void* waiterCondition; \
  void* waiterData; \
  void* waiterLink; \
  bool hasPromiseJobs; \
  uint32_t collectionCount; \
  uint32_t lastMeterIndex; \
  double stepsBeforeWrap;

#define mxUseDefaultBuildKeys 1
#define mxUseDefaultChunkAllocation 1
#define mxUseDefaultMachinePlatform 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultSlotAllocation 1

/* The highest C stack is known only where it has been filled with a pattern (host-test/emulation). */
#define hostStackBytes() 0

/*
 * Not defined on purpose, because a release build for a board does not define them either:
 * mx32bitID (property identifiers have 16 bits), mxCESU8, mxDebug, and mxBoundsCheck, which would
 * charge one step more for each value a built-in function pushes.
 */

#endif
