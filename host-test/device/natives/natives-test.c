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
int32_t ringbridge_wire_reset(uint32_t pin);
void ringbridge_wire_write(uint32_t pin, uint32_t byte);
uint32_t ringbridge_wire_read(uint32_t pin);
int32_t ringbridge_serial_open(uint32_t receive, uint32_t transmit, uint32_t baud, uint32_t form);
void ringbridge_serial_write(uint32_t port, uint8_t *buffer, uint32_t offset, uint32_t length);
uint32_t ringbridge_serial_read(uint32_t port, uint8_t *buffer, uint32_t offset, uint32_t length);
int32_t ringbridge_pulses_open(uint32_t pin);
uint32_t ringbridge_pulses_read(uint32_t counter);

static uint32_t put_count;
static char put_last[400];

void ringbridge_test_put(uint8_t character)
{
	put_last[put_count++ % sizeof put_last] = (char)character;
}

#ifdef ESP_PLATFORM
#include "esp-idf.h"

/* A part of 1-Wire at pin 4, which has heard two bytes and then says A5; nobody at pin 5; pin 6 is low for ever. */
static uint64_t now_us, fell_at, held_until, held_from;
static uint32_t master_level = 1, heard, heard_bits;

void ringbridge_test_pass(uint32_t microseconds)
{
	now_us += microseconds;
}

int ringbridge_test_level(int pin)
{
	if (pin == 6)
		return 0;
	return master_level && !(pin == 4 && now_us >= held_from && now_us < held_until);
}

void ringbridge_test_set_level(int pin, uint32_t level)
{
	if (pin != 4 || level == master_level) {
		master_level = level;
		return;
	}
	master_level = level;
	if (level == 0) {
		fell_at = now_us;
		if (heard_bits >= 16) { /* it sends */
			held_from = now_us;
			held_until = now_us + (0xA5u >> (heard_bits++ - 16) & 1 ? 0 : 30);
		}
		return;
	}
	uint64_t low = now_us - fell_at;
	if (low >= 480) { /* reset: it shows that it is there */
		held_from = now_us + 30;
		held_until = now_us + 150;
		heard = heard_bits = 0;
	} else if (heard_bits < 16)
		heard |= (low < 15 ? 1u : 0u) << heard_bits++;
}

static uart_config_t line;
static uint32_t line_pins, sent, there;
static int is_installed;

int ringbridge_test_uart(int what, int port, const void *argument, uint32_t number)
{
	if (port != 1)
		return 1;
	switch (what) {
	case 0: return is_installed;
	case 1: return is_installed = 0;
	case 2: return is_installed ? 1 : !(is_installed = 1);
	case 3: line = *(const uart_config_t *)argument; return 0;
	case 4: line_pins = number; return 0;
	case 5: sent += number; return (int)number;
	case 6: return (int)there;
	default: {
		uint32_t count = number < there ? number : there;
		there -= count;
		return (int)count;
	}
	}
}

struct pcnt_unit ringbridge_test_counters[2];

static void tell_wires(void)
{
	uint8_t buffer[16];
	int32_t is_there = ringbridge_wire_reset(4);
	uint64_t start = now_us;
	ringbridge_wire_write(4, 0xCC);
	ringbridge_wire_write(4, 0x44);
	uint32_t word = heard;
	uint32_t byte = ringbridge_wire_read(4);
	printf("a part is there %d, has heard %02X %02X, says %02X; microseconds of a byte %u\n", is_there, word & 0xFF,
		word >> 8, byte, (uint32_t)(now_us - start) / 3);
	is_there = ringbridge_wire_reset(5);
	byte = ringbridge_wire_read(5);
	printf("nobody is there %d, %02X; a line that is low %d\n", is_there, byte, ringbridge_wire_reset(6));

	int32_t port = ringbridge_serial_open(16, 17, 9600, 2 | 2 << 4);
	printf("line %d of %d baud, parity %d, stop bits %d, pins %u and %u", port, line.baud_rate, line.parity, line.stop_bits,
		line_pins >> 8, line_pins & 0xFF);
	port = ringbridge_serial_open(16, 17, 115200, 1 << 4);
	printf("; the same again %d, %d baud, another %d\n", port, line.baud_rate, ringbridge_serial_open(18, 255, 9600, 16));
	ringbridge_serial_write(1, buffer, 2, 3);
	there = 7;
	printf("sent %u; read", sent);
	for (int count = 0; count < 3; ++count)
		printf(" %u", ringbridge_serial_read(1, buffer, 0, 5));
	there = 2000;
	printf("; of a full ring %X\n", ringbridge_serial_read(1, buffer, 0, 10));

	int32_t first = ringbridge_pulses_open(4), second = ringbridge_pulses_open(5), again = ringbridge_pulses_open(4);
	printf("counters %d %d %d %d", first, second, again, ringbridge_pulses_open(6));
	ringbridge_test_counters[0].count = 70000;
	ringbridge_test_counters[1].count = -1;
	printf("; falling %d, rising %d, read %u %u\n", ringbridge_test_counters[0].falling,
		ringbridge_test_counters[0].rising, ringbridge_pulses_read(0), ringbridge_pulses_read(1));
}
#else
static void tell_wires(void)
{
	uint8_t buffer[4];
	ringbridge_wire_write(4, 1);
	printf("wire %d %u", ringbridge_wire_reset(4), ringbridge_wire_read(4));
	printf(", line %d", ringbridge_serial_open(16, 17, 9600, 16));
	ringbridge_serial_write(1, buffer, 0, 0);
	printf(" %u", ringbridge_serial_read(1, buffer, 0, 4));
	printf(", counter %d %u\n", ringbridge_pulses_open(4), ringbridge_pulses_read(0));
}
#endif

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
	tell_wires();
	return 0;
}
