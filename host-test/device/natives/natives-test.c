/*
 * Drives the C files of a board on this computer, as on a board (ESP_PLATFORM, with stand-ins for what ESP-IDF has) or as in
 * the simulator. Prints what it finds; natives.test.ts compares.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

uint32_t ringbridge_reset_reason(void);
uint32_t ringbridge_heap_free(void);
uint32_t ringbridge_heap_minimum(void);
uint32_t ringbridge_heap_largest(void);
uint32_t ringbridge_note_begin(void);
uint32_t ringbridge_note_code(void);
uint32_t ringbridge_note_subject(void);
void ringbridge_note_write(uint32_t code, uint32_t subject);
void *ringbridge_note_memory(uint32_t *length);
uint32_t ringbridge_image_is_on_trial(void);
int32_t ringbridge_image_accept(void);
int32_t ringbridge_image_give_up(void);
uint32_t ringbridge_log_line(const char *text, uint32_t now);

static uint32_t put_count;
static char put_last[400];

void ringbridge_test_put(uint8_t character)
{
	put_last[put_count++ % sizeof put_last] = (char)character;
}

static void tell_note(const char *when)
{
	uint32_t starts = ringbridge_note_begin();
	printf("%s: start %u, code %u, subject %u\n", when, starts, ringbridge_note_code(), ringbridge_note_subject());
}

int main(void)
{
	uint32_t length;
	uint8_t *memory = ringbridge_note_memory(&length);
	char text[300];

	for (uint32_t i = 0; i < length; ++i)
		memory[i] = (uint8_t)(i * 37 + 11); /* as after a power cut */
	tell_note("power");
	tell_note("restart");
	ringbridge_note_write(2, 5);
	tell_note("crash");
	tell_note("after it");
	ringbridge_note_write(1, 1);
	unsigned survivors = 0;
	for (uint32_t bit = 0; bit < length * 8; ++bit) {
		uint8_t copy[64];
		memcpy(copy, memory, length);
		memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
		survivors += ringbridge_note_begin() != 1;
		memcpy(memory, copy, length);
	}
	printf("notes with a wrong bit that were believed: %u of %u\n", survivors, length * 8);

	printf("reset reason %u, heap %u %u %u\n", ringbridge_reset_reason(),
		ringbridge_heap_free(), ringbridge_heap_minimum(), ringbridge_heap_largest());
	printf("on trial %u", ringbridge_image_is_on_trial());
	printf(", accept %d", ringbridge_image_accept());
	printf(", on trial %u", ringbridge_image_is_on_trial());
	printf(", give up %d\n", ringbridge_image_give_up());

	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	printf("long line %u", ringbridge_log_line(text, 0xFFFFFF00u));
	printf(", %u characters\n", put_count);
	unsigned written = 0;
	for (int line = 0; line < 100; ++line)
		written += ringbridge_log_line("y", 0xFFFFFF00u + (uint32_t)line);
	printf("of 100 lines at once %u\n", written);
	put_count = 0;
	printf("after ten seconds %u", ringbridge_log_line("z", 0xFFFFFF00u + 10000u)); /* the clock has wrapped */
	put_last[put_count] = 0;
	for (char *at = put_last; *at; ++at)
		if (*at == '\r' || *at == '\n')
			*at = '|';
	printf(": %s\n", put_last);
	return 0;
}
