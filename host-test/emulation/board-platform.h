/*
 * What XS asks of the platform it is compiled for, answered for an emulated RISC-V board with picolibc and semihosting.
 * host-test/xs/host-platform.h is the same for a PC and says what the switches mean.
 */

#ifndef BOARD_PLATFORM_H
#define BOARD_PLATFORM_H

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#ifndef PATH_MAX
  #define PATH_MAX 1024
#endif
#undef C_PATH_MAX
#ifndef CLOCK_MONOTONIC
  #define CLOCK_MONOTONIC ((clockid_t) 4)
#endif

/* A board's processor may trap where a word is not aligned. */
#define mxUnalignedAccess 0
#define mxMisalignedSettersCrash 1

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

/* The emulated board has 112 MB; no measured stretch meets a collection with these. */
#define LARGE_HEAP_SLOTS (512 * 1024)
#define LARGE_CHUNK_BYTES (16 * 1024 * 1024)

/* What picolibc does not have, or does not declare: board.c. */
int clock_gettime(clockid_t clock, struct timespec* time);
char* realpath(const char* path, char* resolved);
uint32_t hostStackBytes(void);

#endif
