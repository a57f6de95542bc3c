/* Paho C, asynchronous (MQTTAsync), as an adapter: see README.md. */
#include <MQTTAsync.h>
#include "adapter.h"

static MQTTAsync client;

static int on_message(void *context, char *topic, int topic_length, MQTTAsync_message *message) {
  (void)context, (void)topic_length;
  say_message(message->qos, message->retained, topic, message->payload, message->payloadlen);
  MQTTAsync_freeMessage(&message);
  MQTTAsync_free(topic);
  return 1;
}

static void on_lost(void *context, char *cause) {
  (void)context, (void)cause;
  say("lost");
}

static void on_connect(void *context, MQTTAsync_successData *data) {
  (void)context;
  say("connected %d", data->alt.connect.sessionPresent);
}

static void on_refused(void *context, MQTTAsync_failureData *data) {
  (void)context;
  say("refused %d", data->code);
}

static void on_subscribe(void *context, MQTTAsync_successData *data) { (void)context; say("subscribed %d", data->alt.qos); }
static void on_no_subscribe(void *context, MQTTAsync_failureData *data) { (void)context, (void)data; say("subscribed 128"); }
static void on_unsubscribe(void *context, MQTTAsync_successData *data) { (void)context, (void)data; say("unsubscribed"); }
static void on_disconnect(void *context, MQTTAsync_successData *data) { (void)context, (void)data; say("disconnected"); }

static void on_publish(void *topic, MQTTAsync_successData *data) {
  (void)data;
  say("published %s", topic);
  free(topic);
}

static void on_no_publish(void *topic, MQTTAsync_failureData *data) {
  (void)data;
  say("failed %s", topic);
  free(topic);
}

static void do_connect(char **words) {
  char address[64];
  snprintf(address, sizeof address, "tcp://127.0.0.1:%s", words[0]);
  if (client != NULL)
    MQTTAsync_destroy(&client);
  MQTTAsync_create(&client, address, words[1], MQTTCLIENT_PERSISTENCE_NONE, NULL);
  MQTTAsync_setCallbacks(client, NULL, on_lost, on_message, NULL);
  MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
  MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
  options.MQTTVersion = MQTTVERSION_3_1_1;
  options.cleansession = atoi(words[2]);
  options.keepAliveInterval = atoi(words[3]);
  options.username = text_of(words[4]);
  options.password = text_of(words[5]);
  options.maxInflight = 1000;
  options.onSuccess = on_connect;
  options.onFailure = on_refused;
  if (text_of(words[6]) != NULL) {
    will.topicName = words[6];
    will.message = "gone";
    will.qos = atoi(words[7]);
    will.retained = atoi(words[8]);
    options.will = &will;
  }
  if (MQTTAsync_connect(client, &options) != MQTTASYNC_SUCCESS)
    say("refused -1");
}

static void do_subscribe(char **words) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.onSuccess = on_subscribe;
  options.onFailure = on_no_subscribe;
  MQTTAsync_subscribe(client, words[0], atoi(words[1]), &options);
}

static void do_unsubscribe(char **words) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  options.onSuccess = on_unsubscribe;
  MQTTAsync_unsubscribe(client, words[0], &options);
}

static void do_publish(char **words) {
  MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
  const char *payload = payload_of(words[1]);
  options.onSuccess = on_publish;
  options.onFailure = on_no_publish;
  options.context = strdup(words[0]);
  if (MQTTAsync_send(client, words[0], (int)strlen(payload), payload, atoi(words[2]), atoi(words[3]), &options) != MQTTASYNC_SUCCESS)
    on_no_publish(options.context, NULL);
}

static void do_disconnect(void) {
  MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
  options.timeout = 1000;
  options.onSuccess = on_disconnect;
  MQTTAsync_disconnect(client, &options);
}

int main(void) {
  serve();
  return 0;
}
