/*
 * What the emulated board has in place of an operating system: a clock that counts instructions, the highest C stack,
 * and file names.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- Instructions ---- */

/* What hostStackBytes has taken, which is no work of the program. */
static uint64_t instructionsOfTheHost;

/*
 * One of the two words of the counter of retired instructions. The assembler is told of the extension that reads it:
 * with "zicsr" in -march the compiler would look for libraries of that name.
 */
#define readCounter(name, value) \
  __asm__ volatile(".option push\n.option arch, +zicsr\n" name " %0\n.option pop" : "=r"(value))

static uint64_t countInstructions(void)
{
  uint32_t low, high, highAgain;
  do {
    readCounter("rdinstreth", high);
    readCounter("rdinstret", low);
    readCounter("rdinstreth", highAgain);
  } while (high != highAgain);
  return (uint64_t)high << 32 | low;
}

/* One instruction is one nanosecond. */
int clock_gettime(clockid_t clock, struct timespec* time)
{
  uint64_t instructions = countInstructions() - instructionsOfTheHost;
  (void)clock;
  time->tv_sec = instructions / 1000000000u;
  time->tv_nsec = instructions % 1000000000u;
  return 0;
}

/* ---- The C stack ---- */

/* From the linker: the stack grows down from here. */
extern char __stack[];
extern char __stack_size[];

#define PATTERN 0xC0FFEE11u

/*
 * Bytes that the stack has reached since the last call, at least those of this call; then fills what is free with a
 * pattern again. There are no interrupts, so nothing lies below the stack pointer.
 */
uint32_t hostStackBytes(void)
{
  uint64_t begin = countInstructions();
  uint32_t* lowest = (uint32_t*)(__stack - (uintptr_t)__stack_size);
  uint32_t* reached = lowest;
  uint32_t* here;
  __asm__ volatile("mv %0, sp" : "=r"(here));
  while (reached < here && *reached == PATTERN)
    ++reached;
  for (uint32_t* word = lowest; word < here; ++word)
    *word = PATTERN;
  instructionsOfTheHost += countInstructions() - begin;
  return (uint32_t)(__stack - (char*)reached);
}

/* ---- Files ---- */

/* Removes "./"; there are no links and nothing goes up. A file that cannot be opened is not there. */
char* realpath(const char* path, char* resolved)
{
  char* end = resolved;
  FILE* file;
  while (*path) {
    const char* slash = strchr(path, '/');
    size_t length = slash ? (size_t)(slash - path + 1) : strlen(path);
    if (length != 2 || path[0] != '.' || path[1] != '/') {
      memcpy(end, path, length);
      end += length;
    }
    path += length;
  }
  *end = 0;
  file = fopen(resolved, "r");
  if (!file)
    return NULL;
  fclose(file);
  return resolved;
}
