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

/* Pins: one line, which is pulled up and which a part may hold low. */
typedef int gpio_num_t;
#define GPIO_MODE_INPUT_OUTPUT_OD 7
#define GPIO_PULLUP_ONLY 0
int ringbridge_test_level(int pin);
void ringbridge_test_set_level(int pin, uint32_t level);
void ringbridge_test_pass(uint32_t microseconds);
static inline esp_err_t gpio_set_direction(gpio_num_t pin, int mode) { return pin >= 0 && mode > 0 ? ESP_OK : 1; }
static inline esp_err_t gpio_set_pull_mode(gpio_num_t pin, int mode) { return pin >= 0 && mode >= 0 ? ESP_OK : 1; }
static inline esp_err_t gpio_set_level(gpio_num_t pin, uint32_t level)
{
	ringbridge_test_set_level(pin, level);
	return ESP_OK;
}
static inline int gpio_get_level(gpio_num_t pin) { return ringbridge_test_level(pin); }
static inline void esp_rom_delay_us(uint32_t microseconds) { ringbridge_test_pass(microseconds); }
typedef int portMUX_TYPE;
#define portMUX_INITIALIZER_UNLOCKED 0
#define portENTER_CRITICAL(lock) (++*(lock))
#define portEXIT_CRITICAL(lock) (--*(lock))

/* Serial lines: what is "there" has arrived. */
#define UART_NUM_MAX 2
#define UART_PIN_NO_CHANGE (-1)
typedef int uart_port_t;
typedef enum { UART_PARITY_DISABLE = 0, UART_PARITY_EVEN = 2, UART_PARITY_ODD = 3 } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1, UART_STOP_BITS_2 = 3 } uart_stop_bits_t;
typedef struct {
	int baud_rate;
	int data_bits;
	uart_parity_t parity;
	uart_stop_bits_t stop_bits;
	int flow_ctrl;
	int source_clk;
} uart_config_t;
#define UART_DATA_8_BITS 3
#define UART_HW_FLOWCTRL_DISABLE 0
#define UART_SCLK_DEFAULT 0
int ringbridge_test_uart(int what, int port, const void *argument, uint32_t number);
static inline int uart_is_driver_installed(uart_port_t port) { return ringbridge_test_uart(0, port, NULL, 0); }
static inline esp_err_t uart_driver_delete(uart_port_t port) { return ringbridge_test_uart(1, port, NULL, 0); }
static inline esp_err_t uart_driver_install(uart_port_t port, int ring, int out, int queue, void *handle, int flags)
{
	return ringbridge_test_uart(2, port, handle, (uint32_t)(ring + out + queue + flags));
}
static inline esp_err_t uart_param_config(uart_port_t port, const uart_config_t *config)
{
	return ringbridge_test_uart(3, port, config, 0);
}
static inline esp_err_t uart_set_pin(uart_port_t port, int transmit, int receive, int rts, int cts)
{
	return ringbridge_test_uart(4, port, NULL, (uint32_t)(receive << 8 | (transmit & 0xFF))) + (rts == cts ? 0 : 1);
}
static inline int uart_write_bytes(uart_port_t port, const void *bytes, size_t length)
{
	return ringbridge_test_uart(5, port, bytes, (uint32_t)length);
}
static inline esp_err_t uart_get_buffered_data_len(uart_port_t port, size_t *length)
{
	*length = (size_t)ringbridge_test_uart(6, port, NULL, 0);
	return ESP_OK;
}
static inline int uart_read_bytes(uart_port_t port, void *bytes, uint32_t length, uint32_t ticks)
{
	return ringbridge_test_uart(7, port, bytes, length + ticks);
}

/* Counters of pulses: there are two. */
#define SOC_PCNT_SUPPORTED 1
typedef struct pcnt_unit *pcnt_unit_handle_t;
typedef struct pcnt_channel *pcnt_channel_handle_t;
typedef struct { int low_limit; int high_limit; struct { uint32_t accum_count : 1; } flags; } pcnt_unit_config_t;
typedef struct { int edge_gpio_num; int level_gpio_num; } pcnt_chan_config_t;
typedef struct { uint32_t max_glitch_ns; } pcnt_glitch_filter_config_t;
typedef enum { PCNT_CHANNEL_EDGE_ACTION_HOLD, PCNT_CHANNEL_EDGE_ACTION_INCREASE } pcnt_channel_edge_action_t;
struct pcnt_unit { int pin; int count; int is_running; int rising; int falling; };
extern struct pcnt_unit ringbridge_test_counters[2];
static inline esp_err_t pcnt_new_unit(const pcnt_unit_config_t *config, pcnt_unit_handle_t *unit)
{
	for (int index = 0; index < 2; ++index)
		if (ringbridge_test_counters[index].pin == 0 && config->flags.accum_count) {
			*unit = &ringbridge_test_counters[index];
			return ESP_OK;
		}
	return 1;
}
static inline esp_err_t pcnt_del_unit(pcnt_unit_handle_t unit) { return unit->pin = 0; }
static inline esp_err_t pcnt_new_channel(pcnt_unit_handle_t unit, const pcnt_chan_config_t *config,
	pcnt_channel_handle_t *channel)
{
	unit->pin = config->edge_gpio_num;
	*channel = (pcnt_channel_handle_t)unit;
	return ESP_OK;
}
static inline esp_err_t pcnt_unit_set_glitch_filter(pcnt_unit_handle_t unit, const pcnt_glitch_filter_config_t *filter)
{
	return unit->pin > 0 && filter->max_glitch_ns < 12787 ? ESP_OK : 1;
}
static inline esp_err_t pcnt_channel_set_edge_action(pcnt_channel_handle_t channel, pcnt_channel_edge_action_t rising,
	pcnt_channel_edge_action_t falling)
{
	((pcnt_unit_handle_t)channel)->rising = rising;
	((pcnt_unit_handle_t)channel)->falling = falling;
	return ESP_OK;
}
static inline esp_err_t pcnt_unit_add_watch_point(pcnt_unit_handle_t unit, int point) { return unit->pin > point; }
static inline esp_err_t pcnt_unit_enable(pcnt_unit_handle_t unit) { return unit->is_running = 0; }
static inline esp_err_t pcnt_unit_clear_count(pcnt_unit_handle_t unit) { return unit->count = 0; }
static inline esp_err_t pcnt_unit_start(pcnt_unit_handle_t unit) { return !(unit->is_running = 1); }
static inline esp_err_t pcnt_unit_get_count(pcnt_unit_handle_t unit, int *count)
{
	*count = unit->count;
	return ESP_OK;
}
#endif
