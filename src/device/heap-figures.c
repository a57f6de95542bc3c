/*
 * The heap of ESP-IDF, from which Wi-Fi, TCP/IP and XS take their memory, in bytes. Elsewhere the figures are 0, unknown.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "esp_heap_caps.h"
#include "esp_system.h"
#endif

uint32_t ringbridge_heap_free(void)
{
#ifdef ESP_PLATFORM
	return esp_get_free_heap_size();
#else
	return 0;
#endif
}

/* The least that was free since the start. */
uint32_t ringbridge_heap_minimum(void)
{
#ifdef ESP_PLATFORM
	return esp_get_minimum_free_heap_size();
#else
	return 0;
#endif
}

/* More than this cannot be had in one piece. */
uint32_t ringbridge_heap_largest(void)
{
#ifdef ESP_PLATFORM
	return (uint32_t)heap_caps_get_largest_free_block(MALLOC_CAP_8BIT);
#else
	return 0;
#endif
}
