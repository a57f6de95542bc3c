/*
 * Why the board has started: the number that ESP-IDF gives (esp_reset_reason_t). Elsewhere it is 0, unknown.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "esp_system.h"
#endif

uint32_t ringbridge_reset_reason(void)
{
#ifdef ESP_PLATFORM
	return (uint32_t)esp_reset_reason();
#else
	return 0;
#endif
}
