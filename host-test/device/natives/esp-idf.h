/*
 * Stand-ins for what the C files of a board use of ESP-IDF, so that a PC compiles the same lines.
 */
#ifndef RINGBRIDGE_ESP_IDF_STAND_IN
#define RINGBRIDGE_ESP_IDF_STAND_IN
#include <stddef.h>
#include <stdint.h>

#define RTC_NOINIT_ATTR __attribute__((section(".noinit")))
#define MALLOC_CAP_8BIT 4
#define ESP_OK 0

typedef int esp_err_t;
typedef struct { int unused; } esp_partition_t;
typedef enum { ESP_OTA_IMG_NEW, ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_VALID } esp_ota_img_states_t;

static inline int esp_reset_reason(void) { return 6; }
static inline uint32_t esp_get_free_heap_size(void) { return 3000; }
static inline uint32_t esp_get_minimum_free_heap_size(void) { return 2000; }
static inline size_t heap_caps_get_largest_free_block(uint32_t caps) { return caps == MALLOC_CAP_8BIT ? 1000 : 0; }

static esp_partition_t running_partition;
static esp_ota_img_states_t running_state = ESP_OTA_IMG_PENDING_VERIFY;
static inline const esp_partition_t *esp_ota_get_running_partition(void) { return &running_partition; }
static inline esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *state)
{
	*state = running_state;
	return partition == &running_partition ? ESP_OK : 1;
}
static inline esp_err_t esp_ota_mark_app_valid_cancel_rollback(void)
{
	running_state = ESP_OTA_IMG_VALID;
	return ESP_OK;
}
static inline esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void) { return 0x1503; }
void ringbridge_test_put(uint8_t character);
static inline int esp_rom_output_tx_one_char(uint8_t character)
{
	ringbridge_test_put(character);
	return 0;
}
#endif
