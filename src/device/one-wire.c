/*
 * A 1-Wire bus at a pin: reset, and bytes, the lowest bit first. The times are those of Maxim's application note 126, at
 * standard speed. A bit takes 70 microseconds, during which nothing else runs on this core; a byte 0.6 milliseconds.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "driver/gpio.h"
#include "esp_rom_sys.h"
#include "freertos/FreeRTOS.h"

static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;

static void set_line(uint32_t pin, uint32_t level)
{
	gpio_set_level((gpio_num_t)pin, level);
}

/* Low for a while, then free for another. Returns the level in between, "sample" microseconds after it is free. */
static uint32_t slot(uint32_t pin, uint32_t low, uint32_t sample, uint32_t rest)
{
	portENTER_CRITICAL(&lock);
	set_line(pin, 0);
	esp_rom_delay_us(low);
	set_line(pin, 1);
	esp_rom_delay_us(sample);
	uint32_t level = (uint32_t)gpio_get_level((gpio_num_t)pin);
	portEXIT_CRITICAL(&lock);
	esp_rom_delay_us(rest);
	return level;
}
#endif

/* Returns 1 when somebody is there, 0 when nobody is, -1 when something holds the line low. */
int32_t ringbridge_wire_reset(uint32_t pin)
{
#ifdef ESP_PLATFORM
	gpio_set_direction((gpio_num_t)pin, GPIO_MODE_INPUT_OUTPUT_OD);
	gpio_set_pull_mode((gpio_num_t)pin, GPIO_PULLUP_ONLY);
	set_line(pin, 1);
	esp_rom_delay_us(10);
	if (gpio_get_level((gpio_num_t)pin) == 0)
		return -1;
	set_line(pin, 0);
	esp_rom_delay_us(410);
	return slot(pin, 70, 70, 410) == 0 ? 1 : 0;
#else
	(void)pin;
	return 0;
#endif
}

void ringbridge_wire_write(uint32_t pin, uint32_t byte)
{
#ifdef ESP_PLATFORM
	for (int bit = 0; bit < 8; ++bit)
		if ((byte >> bit & 1) != 0)
			slot(pin, 6, 0, 64);
		else
			slot(pin, 60, 0, 10);
#else
	(void)pin;
	(void)byte;
#endif
}

uint32_t ringbridge_wire_read(uint32_t pin)
{
	uint32_t byte = 0;
#ifdef ESP_PLATFORM
	for (int bit = 0; bit < 8; ++bit)
		byte |= slot(pin, 6, 9, 55) << bit;
#else
	(void)pin;
#endif
	return byte;
}
