/*
 * A note that survives a restart, not a power cut: why the program gave up, what it was handling, and how many starts there
 * were since the power came. It lies in memory of the real-time clock that no start clears; a checksum tells a note from
 * what such memory holds after a power cut. Nothing here allocates: the abort hook writes when there is no memory.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "esp_attr.h"
#else
#define RTC_NOINIT_ATTR
#endif

#define MAGIC 0x52424E31u /* "RBN1" */

struct note {
	uint32_t magic;
	uint32_t starts;
	uint32_t code;
	uint32_t subject;
	uint32_t checksum;
};

static RTC_NOINIT_ATTR struct note kept;
/* What the run before this one has left. */
static uint32_t last_code;
static uint32_t last_subject;

static uint32_t checksum(const struct note *note)
{
	uint32_t sum = 2166136261u;
	sum = (sum ^ note->magic) * 16777619u;
	sum = (sum ^ note->starts) * 16777619u;
	sum = (sum ^ note->code) * 16777619u;
	sum = (sum ^ note->subject) * 16777619u;
	return sum;
}

/* To be called once, first of all. Returns the number of starts since the power came, this one among them. */
uint32_t ringbridge_note_begin(void)
{
	if (kept.magic != MAGIC || kept.checksum != checksum(&kept)) {
		kept.magic = MAGIC;
		kept.starts = kept.code = kept.subject = 0;
	}
	last_code = kept.code;
	last_subject = kept.subject;
	kept.starts += 1;
	kept.code = kept.subject = 0;
	kept.checksum = checksum(&kept);
	return kept.starts;
}

uint32_t ringbridge_note_code(void)
{
	return last_code;
}

uint32_t ringbridge_note_subject(void)
{
	return last_subject;
}

void ringbridge_note_write(uint32_t code, uint32_t subject)
{
	kept.code = code;
	kept.subject = subject;
	kept.checksum = checksum(&kept);
}

#ifdef RINGBRIDGE_TEST
/* Another start, with what the memory holds then. */
void *ringbridge_note_memory(uint32_t *length)
{
	*length = sizeof kept;
	return &kept;
}
#endif
