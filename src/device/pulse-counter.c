/*
 * Counts falling edges at a pin in hardware, where the chip has it (ESP32, S2, S3, C6; not C3): a switch or an open
 * collector to ground. Pulses shorter than ten microseconds are noise.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "soc/soc_caps.h"
#if SOC_PCNT_SUPPORTED
#define HAS_COUNTER 1
#include "driver/gpio.h"
#include "driver/pulse_cnt.h"

#define LIMIT 32767
#define COUNTERS 8

static pcnt_unit_handle_t units[COUNTERS];
static uint32_t counted_pins[COUNTERS];
static uint32_t counter_count;
#endif
#endif

/* Returns the number of the counter, or -1 when there is none (left). A pin has the same counter for ever. */
int32_t ringbridge_pulses_open(uint32_t pin)
{
#ifdef HAS_COUNTER
	for (uint32_t index = 0; index < counter_count; ++index)
		if (counted_pins[index] == pin)
			return (int32_t)index;
	if (counter_count == COUNTERS)
		return -1;
	pcnt_unit_config_t unit_config = { .low_limit = -1, .high_limit = LIMIT, .flags.accum_count = 1 };
	pcnt_chan_config_t channel_config = { .edge_gpio_num = (int)pin, .level_gpio_num = -1 };
	pcnt_glitch_filter_config_t filter = { .max_glitch_ns = 10000 };
	pcnt_unit_handle_t unit;
	pcnt_channel_handle_t channel;
	if (pcnt_new_unit(&unit_config, &unit) != ESP_OK)
		return -1;
	if (pcnt_new_channel(unit, &channel_config, &channel) != ESP_OK) {
		pcnt_del_unit(unit);
		return -1;
	}
	pcnt_unit_set_glitch_filter(unit, &filter);
	pcnt_channel_set_edge_action(channel, PCNT_CHANNEL_EDGE_ACTION_HOLD, PCNT_CHANNEL_EDGE_ACTION_INCREASE);
	gpio_set_pull_mode((gpio_num_t)pin, GPIO_PULLUP_ONLY);
	pcnt_unit_add_watch_point(unit, LIMIT); /* where it is added up, and begins anew */
	pcnt_unit_enable(unit);
	pcnt_unit_clear_count(unit);
	pcnt_unit_start(unit);
	units[counter_count] = unit;
	counted_pins[counter_count] = pin;
	return (int32_t)counter_count++;
#else
	(void)pin;
	return -1;
#endif
}

/* Pulses since it was opened; wraps round at 2^32. */
uint32_t ringbridge_pulses_read(uint32_t counter)
{
#ifdef HAS_COUNTER
	int count = 0;
	if (counter < counter_count)
		pcnt_unit_get_count(units[counter], &count);
	return (uint32_t)count;
#else
	(void)counter;
	return 0;
#endif
}
