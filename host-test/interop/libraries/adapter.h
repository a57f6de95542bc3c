/* What adapters in C share: lines in, lines out. See README.md. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 10, LONGEST_LINE = 70000 };

static void say(const char *format, ...) {
  char line[LONGEST_LINE];
  va_list values;
  va_start(values, format);
  vsnprintf(line, sizeof line, format, values);
  va_end(values);
  puts(line); /* one call: callbacks come in other threads */
  fflush(stdout);
}

static const char *text_of(const char *word) { return strcmp(word, "-") == 0 ? NULL : word; }
static const char *payload_of(const char *word) { return strcmp(word, "-") == 0 ? "" : word; }

static void say_message(int qos, int retain, const char *topic, const char *payload, int length) {
  say("message %d %d %s %.*s", qos, retain, topic, length == 0 ? 1 : length, length == 0 ? "-" : payload);
}

/* words: as they come after the command */
static void do_connect(char **words);
static void do_subscribe(char **words);
static void do_unsubscribe(char **words);
static void do_publish(char **words);
static void do_disconnect(void);

static void serve(void) {
  static char line[LONGEST_LINE];
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *words[WORDS] = {0};
    int count = 0;
    for (char *word = strtok(line, " \n"); word != NULL && count < WORDS; word = strtok(NULL, " \n"))
      words[count++] = word;
    if (count == 0)
      continue;
    switch (words[0][0]) {
      case 'c': do_connect(words + 1); break;
      case 's': do_subscribe(words + 1); break;
      case 'u': do_unsubscribe(words + 1); break;
      case 'p': do_publish(words + 1); break;
      default: do_disconnect();
    }
  }
}
