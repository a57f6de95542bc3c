/*
 * Whether a new firmware is on trial. The bootloader goes back to the one before it at the next start, unless it has been
 * accepted (CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE). Elsewhere there is never one on trial.
 */
#include <stdint.h>

#ifdef ESP_PLATFORM
#include "esp_ota_ops.h"
#endif

uint32_t ringbridge_image_is_on_trial(void)
{
#ifdef ESP_PLATFORM
	esp_ota_img_states_t state;
	const esp_partition_t *running = esp_ota_get_running_partition();
	return running != 0 && esp_ota_get_state_partition(running, &state) == ESP_OK && state == ESP_OTA_IMG_PENDING_VERIFY;
#else
	return 0;
#endif
}

/* 0: done. Else the error of ESP-IDF. */
int32_t ringbridge_image_accept(void)
{
#ifdef ESP_PLATFORM
	return esp_ota_mark_app_valid_cancel_rollback();
#else
	return 0;
#endif
}

/* Restarts with the firmware before this one; returns only when there is none: the error of ESP-IDF. */
int32_t ringbridge_image_give_up(void)
{
#ifdef ESP_PLATFORM
	return esp_ota_mark_app_invalid_rollback_and_reboot();
#else
	return -1;
#endif
}
