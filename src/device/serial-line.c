/*
 * A serial line by ESP-IDF's driver, whose ring keeps what arrives while the program is busy or flash is erased: that
 * takes some 50 milliseconds, in which 576 bytes arrive at 115,200 baud. Its interrupt must be in RAM for that
 * (CONFIG_UART_ISR_IN_IRAM in sdkconfig.defaults).
 */
#include <stdint.h>

#define LOST 0x10000u

#ifdef ESP_PLATFORM
#include "driver/uart.h"

#define RING 2048
/* From here on something may have been lost. */
#define FULL (RING - 128)
#define NO_PIN 255u

static uint32_t used_ports = 1; /* of port 0 the log comes */
static uint32_t pins[UART_NUM_MAX];
#endif

/*
 * form: parity (0 none, 2 even, 3 odd) and, from bit 4 on, stop bits (1, 2). transmit: 255 for none. Lines that have the
 * same pins as before are opened anew. Returns the port, or -1 when there is none left, or none can be had with these pins.
 */
int32_t ringbridge_serial_open(uint32_t receive, uint32_t transmit, uint32_t baud, uint32_t form)
{
#ifdef ESP_PLATFORM
	uint32_t key = receive << 8 | transmit;
	uint32_t port = 1;
	while (port < UART_NUM_MAX && (used_ports >> port & 1) != 0 && pins[port] != key)
		++port;
	if (port >= UART_NUM_MAX)
		return -1;
	uart_config_t config = {
		.baud_rate = (int)baud,
		.data_bits = UART_DATA_8_BITS,
		.parity = (uart_parity_t)(form & 3),
		.stop_bits = form >> 4 == 2 ? UART_STOP_BITS_2 : UART_STOP_BITS_1,
		.flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
		.source_clk = UART_SCLK_DEFAULT,
	};
	if (uart_is_driver_installed((uart_port_t)port))
		uart_driver_delete((uart_port_t)port);
	if (uart_driver_install((uart_port_t)port, RING, 0, 0, NULL, 0) != ESP_OK)
		return -1;
	if (uart_param_config((uart_port_t)port, &config) != ESP_OK
		|| uart_set_pin((uart_port_t)port, transmit == NO_PIN ? UART_PIN_NO_CHANGE : (int)transmit, (int)receive,
			UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE) != ESP_OK) {
		uart_driver_delete((uart_port_t)port);
		return -1;
	}
	used_ports |= 1u << port;
	pins[port] = key;
	return (int32_t)port;
#else
	(void)receive;
	(void)transmit;
	(void)baud;
	(void)form;
	return -1;
#endif
}

/* Begins to send: what fits into the hardware, 128 bytes, does not wait. */
void ringbridge_serial_write(uint32_t port, uint8_t *buffer, uint32_t offset, uint32_t length)
{
#ifdef ESP_PLATFORM
	uart_write_bytes((uart_port_t)port, buffer + offset, length);
#else
	(void)port;
	(void)buffer;
	(void)offset;
	(void)length;
#endif
}

/* Returns how many bytes of what has arrived were copied, plus 0x10000 when others may have been lost before them. */
uint32_t ringbridge_serial_read(uint32_t port, uint8_t *buffer, uint32_t offset, uint32_t length)
{
#ifdef ESP_PLATFORM
	size_t there = 0;
	if (uart_get_buffered_data_len((uart_port_t)port, &there) != ESP_OK || there == 0)
		return 0;
	int count = uart_read_bytes((uart_port_t)port, buffer + offset, there < length ? (uint32_t)there : length, 0);
	return (count < 0 ? 0 : (uint32_t)count) | (there >= FULL ? LOST : 0);
#else
	(void)port;
	(void)buffer;
	(void)offset;
	(void)length;
	return 0;
#endif
}
