/*
 * Lines of the log on the serial line of a release build, whose `trace` says nothing: on site it is the only witness. The ROM's
 * own output is used, at the speed that the bootloader has set, so nothing is allocated and no driver is needed. Lines are
 * cut, and there are so many in ten seconds only, because the program waits for each character. In a debug build the line
 * belongs to the debugger.
 */
#include <stdint.h>

#if defined(ESP_PLATFORM) && !defined(mxDebug)
#include "esp_rom_serial_output.h"
#define PUT(character) esp_rom_output_tx_one_char(character)
#elif defined(RINGBRIDGE_TEST)
void ringbridge_test_put(uint8_t character);
#define PUT(character) ringbridge_test_put(character)
#else
#define PUT(character) ((void)(character))
#endif

#define LONGEST 160
#define LINES 30
#define PERIOD 10000

static uint32_t period_begin;
static uint32_t line_count;

static void put_text(const char *text, uint32_t longest)
{
	while (longest-- > 0 && *text != 0)
		PUT((uint8_t)*text++);
}

static void put_line(const char *text)
{
	put_text(text, LONGEST);
	put_text("\r\n", 2);
}

/* now: milliseconds. Returns whether the line was written. */
uint32_t ringbridge_log_line(const char *text, uint32_t now)
{
	if (now - period_begin >= PERIOD) {
		if (line_count > LINES)
			put_line("(more lines were not written)");
		period_begin = now;
		line_count = 0;
	}
	if (++line_count > LINES)
		return 0;
	put_line(text);
	return 1;
}
