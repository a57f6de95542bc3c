/*
 * A measuring host: runs one ECMAScript module on XS and hands the module XS's own counters.
 *
 *     xs-host [--heap-slots N] [--chunk-bytes N] main.js [argument ...]
 *     xs-host --code-size file.js ...       runs nothing: prints the bytes of byte code of each module
 *
 * It knows how to start an XS machine, which globals the module finds, and how to report a failure.
 * It does not know where modules come from (modules.c), nor what is measured: that is the module's
 * business.
 *
 * It uses XS's internal headers and not the embedding interface `xs.h`, because the counters and
 * the module loader are not reachable through that.
 */

#include "xsAll.h"
#include "host.h"

#if INTPTR_MAX == INT64_MAX
  #define ENGINE_NAME "xs64"
#else
  #define ENGINE_NAME "xs32"
#endif

/* Large enough that no measured stretch meets a collection: 16 MB of slots on 32 bits, and chunks. */
#ifndef LARGE_HEAP_SLOTS
  #define LARGE_HEAP_SLOTS (1024 * 1024)
  #define LARGE_CHUNK_BYTES (64 * 1024 * 1024)
#endif

typedef struct {
  txSize heapSlots; /* 0: large, and may grow */
  txSize chunkBytes; /* 0: large, and may grow */
  char* mainFile;
  int argumentCount;
  char** arguments;
} Options;

/* ---- Failing ---- */

static void finish(int code)
{
  fflush(stdout);
  exit(code);
}

/* Prints a thrown value. An Error's `stack` begins with its name and message. */
static void reportException(txMachine* the)
{
  mxTry(the) {
    mxPush(mxException);
    if (the->stack->kind == XS_REFERENCE_KIND) {
      mxGetID(mxID(_stack));
      if (the->stack->kind == XS_UNDEFINED_KIND)
        *the->stack = mxException;
    }
    fprintf(stderr, "XS: %s\n", fxToString(the, the->stack));
  }
  mxCatch(the) {
    fprintf(stderr, "XS: thrown value that cannot be converted to a string\n");
  }
}

/* XS calls this when it cannot go on, and for each rejected promise nobody handles. */
void fxAbort(txMachine* the, int status)
{
  switch (status) {
  case XS_UNHANDLED_EXCEPTION_EXIT:
  case XS_UNHANDLED_REJECTION_EXIT:
    reportException(the);
    break;
  case XS_NOT_ENOUGH_MEMORY_EXIT:
    fprintf(stderr, "XS: memory full: %d of %d slots, %d of %d chunk bytes in use\n",
      (int)the->currentHeapCount, (int)the->maximumHeapCount,
      (int)the->currentChunksSize, (int)the->maximumChunksSize);
    break;
  case XS_STACK_OVERFLOW_EXIT:
    fprintf(stderr, "XS: stack overflow\n");
    break;
  default:
    fprintf(stderr, "XS: aborted with status %d\n", status);
  }
  finish(1);
}

/* XS's own mxTypeError and relatives cut the message at 127 characters, too short for two paths. */
void throwError(txMachine* the, txSlot* constructor, const char* format, ...)
{
  char message[MESSAGE_CAPACITY];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  mxPushSlot(constructor);
  mxNew();
  mxPushStringC(message);
  mxRunCount(1);
  mxPull(mxException);
  fxJump(the);
}

/* ---- Promise jobs ---- */

/* XS says: there are promise jobs to run. */
void fxQueuePromiseJobs(txMachine* the)
{
  the->hasPromiseJobs = true;
}

static void runPromiseJobs(txMachine* the)
{
  while (the->hasPromiseJobs) {
    the->hasPromiseJobs = false;
    fxRunPromiseJobs(the);
    /* Runs finalizers, which may queue further jobs. */
    fxEndJob(the);
  }
}

/* ---- Globals for JavaScript ---- */

/* print(text): one line on standard output. */
static void host_print(txMachine* the)
{
  puts(mxArgc > 0 ? fxToString(the, mxArgv(0)) : "");
}

/* collect(): a full collection, slots and chunks. It counts as one collection. */
static void host_collect(txMachine* the)
{
  fxCollectGarbage(the);
}

/* What every reader has room for; a sixth is written where there is room for it. */
enum { COUNTER_COUNT = 5, STACK_COUNTER = 5 };

/* The bytes of a typed array that is an argument, reached without allocating. */
static txByte* typedArrayArgument(txMachine* the, txInteger index, txInteger* length)
{
  txSlot* array = (mxArgc > index && mxArgv(index)->kind == XS_REFERENCE_KIND) ? mxArgv(index)->value.reference->next : C_NULL;
  txSlot* view;
  txSlot* buffer;
  if (!array || array->kind != XS_TYPED_ARRAY_KIND)
    mxTypeError("argument %d is not a typed array", (int)index);
  view = array->next;
  buffer = view->next;
  *length = fxGetDataViewSize(the, view, buffer);
  return (txByte*)(buffer->value.reference->next->value.arrayBuffer.address + view->value.dataView.offset);
}

/* XS counts in 32 bits, which is some 10 seconds: right as long as it is asked that often. */
static double countSteps(txMachine* the)
{
  if (the->meterIndex < the->lastMeterIndex)
    the->stepsBeforeWrap += 4294967296.0;
  the->lastMeterIndex = the->meterIndex;
  return the->stepsBeforeWrap + the->meterIndex;
}

/*
 * readCounters(float64Array): writes slots in use, chunk bytes in use, collections, steps, nanoseconds, and the highest
 * C stack since the last call, in bytes, on a platform that knows it.
 * Allocates nothing. The call itself costs a constant number of steps: measure two calls in a row.
 */
static void host_readCounters(txMachine* the)
{
  txInteger length;
  double* counters = (double*)typedArrayArgument(the, 0, &length);
  struct timespec now;
  if (length < (txInteger)(COUNTER_COUNT * sizeof(double)))
    mxTypeError("readCounters: fewer than %d elements", COUNTER_COUNT);
  counters[0] = the->currentHeapCount;
  counters[1] = the->currentChunksSize;
  counters[2] = the->collectionCount;
  counters[3] = countSteps(the);
  clock_gettime(CLOCK_MONOTONIC, &now);
  counters[4] = now.tv_sec * 1e9 + now.tv_nsec;
  if (length >= (txInteger)((STACK_COUNTER + 1) * sizeof(double)))
    counters[STACK_COUNTER] = hostStackBytes();
}

/*
 * The socket of the measurements. Its methods are native, as those of a board's socket are, so that they count no step
 * that a board would not spend. feed(bytes): what comes in, over and over again.
 */
#define FEED_CAPACITY 65536
#define SOCKET_ROOM 8192

static txByte feedBytes[FEED_CAPACITY];
static txInteger feedLength;
static txInteger feedPosition;

static void host_feed(txMachine* the)
{
  txInteger length;
  txByte* bytes = typedArrayArgument(the, 0, &length);
  if (length == 0 || length > FEED_CAPACITY)
    mxRangeError("feed: 1 to %d bytes", FEED_CAPACITY);
  memcpy(feedBytes, bytes, length);
  feedLength = length;
  feedPosition = 0;
}

/* socketRead(view): fills the view with the next bytes of the feed. */
static void host_socketRead(txMachine* the)
{
  txInteger length;
  txByte* view = typedArrayArgument(the, 0, &length);
  for (txInteger done = 0; done < length;) {
    txInteger part = feedLength - feedPosition < length - done ? feedLength - feedPosition : length - done;
    memcpy(view + done, feedBytes + feedPosition, part);
    done += part;
    feedPosition = (feedPosition + part) % feedLength;
  }
  mxResult->kind = XS_INTEGER_KIND;
  mxResult->value.integer = length;
}

/* socketWrite(view): takes everything; there is always the same room. */
static void host_socketWrite(txMachine* the)
{
  txInteger length;
  typedArrayArgument(the, 0, &length);
  mxResult->kind = XS_INTEGER_KIND;
  mxResult->value.integer = SOCKET_ROOM;
}

/*
 * The flash of the measurements, native for the same reason: NOR, of which writing turns ones into zeros and erasing
 * a sector turns all bits into ones. There is one; who begins with it erases it.
 */
#define SECTOR_LENGTH 4096
#define FLASH_SECTORS 16

static txU1 flashBytes[FLASH_SECTORS * SECTOR_LENGTH];

static txInteger integerArgument(txMachine* the, txInteger index)
{
  if (mxArgc <= index)
    mxTypeError("argument %d is missing", (int)index);
  return fxToInteger(the, mxArgv(index));
}

/* Of read and write: (view, offset). */
static txU1* flashArguments(txMachine* the, txU1** view, txInteger* length)
{
  txInteger offset = integerArgument(the, 1);
  *view = (txU1*)typedArrayArgument(the, 0, length);
  if (offset < 0 || offset > (txInteger)sizeof(flashBytes) - *length)
    mxRangeError("flash: offset %d", (int)offset);
  return flashBytes + offset;
}

/* flashRead(view, offset) */
static void host_flashRead(txMachine* the)
{
  txInteger length;
  txU1* view;
  txU1* bytes = flashArguments(the, &view, &length);
  memcpy(view, bytes, length);
}

/* flashWrite(view, offset) */
static void host_flashWrite(txMachine* the)
{
  txInteger length;
  txU1* view;
  txU1* bytes = flashArguments(the, &view, &length);
  for (txInteger index = 0; index < length; ++index)
    bytes[index] &= view[index];
}

/* flashErase(start, end): sectors, the end excluded. */
static void host_flashErase(txMachine* the)
{
  txInteger start = integerArgument(the, 0);
  txInteger end = integerArgument(the, 1);
  if (start < 0 || end < start || end > FLASH_SECTORS)
    mxRangeError("flash: sectors %d to %d", (int)start, (int)end);
  memset(flashBytes + start * SECTOR_LENGTH, 0xFF, (end - start) * SECTOR_LENGTH);
}

/* Moves the value on top of the stack into a property of the global object. */
static void defineGlobal(txMachine* the, txString name)
{
  mxPush(mxGlobal);
  mxSetID(fxID(the, name));
  mxPop();
}

static void defineFunction(txMachine* the, txString name, txCallback callback, txInteger length)
{
  fxNewHostFunction(the, callback, length, fxID(the, name), XS_NO_ID);
  defineGlobal(the, name);
}

static void defineScriptArguments(txMachine* the, const Options* options)
{
  txSlot* array;
  fxNewArray(the, 0);
  array = the->stack;
  for (int index = 0; index < options->argumentCount; ++index) {
    mxPushStringC(options->arguments[index]);
    mxPushSlot(array);
    mxSetIndex(index);
    mxPop();
  }
  defineGlobal(the, "scriptArguments");
}

/* ---- Counting collections ---- */

/* A release build of XS does not count collections, but each marks every reachable host object once. */
static void countCollection(txMachine* the, void* data, txMarkRoot markRoot)
{
  (void)data, (void)markRoot;
  ++the->collectionCount;
}

/* Leaves a host object on the stack, where it stays reachable. */
static void pushCollectionCounter(txMachine* the)
{
  static const txHostHooks hooks = { .marker = countCollection };
  fxNewHostObject(the, C_NULL);
  /* XS skips the marker of an object without data. */
  fxSetHostData(the, the->stack, (void*)&hooks);
  fxSetHostHooks(the, the->stack, &hooks);
}

/* ---- Machine ---- */

/* An increment of 0 makes a heap fixed: XS collects when it is full, and aborts if that gains nothing. */
static txMachine* createMachine(const Options* options, txSize usedSlots, txSize usedChunkBytes)
{
  txCreation creation = {
    .initialHeapCount = options->heapSlots ? usedSlots + options->heapSlots : LARGE_HEAP_SLOTS,
    .incrementalHeapCount = options->heapSlots ? 0 : LARGE_HEAP_SLOTS,
    .initialChunkSize = options->chunkBytes ? usedChunkBytes + options->chunkBytes : LARGE_CHUNK_BYTES,
    .incrementalChunkSize = options->chunkBytes ? 0 : LARGE_CHUNK_BYTES,
    .stackCount = 16 * 1024,
    .initialKeyCount = 32 * 1024,
    .nameModulo = 1993,
    .symbolModulo = 127,
    .parserBufferSize = 1024 * 1024,
    .parserTableModulo = 1993,
  };
  txMachine* the = fxCreateMachine(&creation, "xs-host", C_NULL, XS_NO_ID);
  if (!the) {
    fprintf(stderr, "XS: cannot create the machine\n");
    finish(1);
  }
  fxBeginHost(the);
  pushCollectionCounter(the);
  defineFunction(the, "print", host_print, 1);
  defineFunction(the, "collect", host_collect, 0);
  defineFunction(the, "readCounters", host_readCounters, 1);
  defineFunction(the, "feed", host_feed, 1);
  defineFunction(the, "socketRead", host_socketRead, 1);
  defineFunction(the, "socketWrite", host_socketWrite, 1);
  defineFunction(the, "flashRead", host_flashRead, 2);
  defineFunction(the, "flashWrite", host_flashWrite, 2);
  defineFunction(the, "flashErase", host_flashErase, 2);
  mxPushStringC(ENGINE_NAME);
  defineGlobal(the, "engine");
  defineScriptArguments(the, options);
  return the;
}

/*
 * A fixed heap is given to the module on top of what the machine itself uses, because on a board
 * XS's built-in objects lie in flash. What it uses is found by making one machine more.
 */
static txMachine* createFixedMachine(const Options* options)
{
  Options growing = *options;
  txMachine* the;
  txSize usedSlots;
  txSize usedChunkBytes;
  growing.heapSlots = 0;
  growing.chunkBytes = 0;
  the = createMachine(&growing, 0, 0);
  usedSlots = the->currentHeapCount;
  usedChunkBytes = the->currentChunksSize;
  fxEndHost(the);
  fxDeleteMachine(the);
  /* One slot more: XS keeps the first of a block for itself. */
  return createMachine(options, usedSlots + 1, usedChunkBytes);
}

/* Returns when the module and all promise jobs have run; does not return if one of them failed. */
static void runModule(txMachine* the, txString path)
{
  txSlot* promise;
  mxTry(the) {
    mxPushStringC(path);
    fxRunImport(the, mxModuleInstanceInternal(mxProgram.value.reference)->value.module.realm, XS_NO_ID);
    promise = mxPromiseStatus(the->stack->value.reference);
    runPromiseJobs(the);
    /* Nobody handles the promise of the main module, so its failure is reported here too. */
    fxCheckUnhandledRejections(the, 1);
    if (promise->value.integer == mxPendingStatus)
      throwError(the, &mxErrorConstructor, "%s still awaits a promise that nothing can settle", path);
  }
  mxCatch(the) {
    fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
  }
}

/* ---- Command line ---- */

static void failUsage(void)
{
  fprintf(stderr, "usage: xs-host [--heap-slots N] [--chunk-bytes N] main.js [argument ...]\n"
    "       xs-host --code-size file.js ...\n");
  finish(2);
}

static txSize parseSize(const char* text)
{
  char* end;
  long size = strtol(text, &end, 10);
  if (*end || size <= 0 || size > INT32_MAX / 2)
    failUsage();
  return (txSize)size;
}

static Options parseOptions(int count, char** values)
{
  Options options = { 0 };
  int index = 1;
  for (; index + 1 < count && values[index][0] == '-'; index += 2) {
    if (!strcmp(values[index], "--heap-slots"))
      options.heapSlots = parseSize(values[index + 1]);
    else if (!strcmp(values[index], "--chunk-bytes"))
      options.chunkBytes = parseSize(values[index + 1]);
    else
      failUsage();
  }
  if (index >= count)
    failUsage();
  options.mainFile = values[index];
  options.arguments = values + index + 1;
  options.argumentCount = count - index - 1;
  return options;
}

/* One line per module: its byte code in bytes. */
static void printCodeSizes(int count, char** paths)
{
  Options options = { 0 };
  txMachine* the = createMachine(&options, 0, 0);
  for (int index = 0; index < count; ++index) {
    txSize size = codeSizeOf(the, paths[index]);
    if (size < 0) {
      fprintf(stderr, "XS: %s\n", codeSizeError());
      finish(1);
    }
    printf("%d\n", (int)size);
  }
  finish(0);
}

int main(int count, char** values)
{
  if (count > 2 && !strcmp(values[1], "--code-size"))
    printCodeSizes(count - 2, values + 2);
  Options options = parseOptions(count, values);
  bool isFixed = options.heapSlots || options.chunkBytes;
  txMachine* the = isFixed ? createFixedMachine(&options) : createMachine(&options, 0, 0);
  /* Output is complete up to the last line even if the caller's time limit ends the process. */
  setvbuf(stdout, C_NULL, _IOLBF, 0);
  runModule(the, options.mainFile);
  finish(0);
}
