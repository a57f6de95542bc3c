/* Paho C (MQTTClient) as an adapter: see README.md. */
#include <MQTTClient.h>
#include "adapter.h"

static MQTTClient client;

static int on_message(void *context, char *topic, int topic_length, MQTTClient_message *message) {
  (void)context, (void)topic_length;
  say_message(message->qos, message->retained, topic, message->payload, message->payloadlen);
  MQTTClient_freeMessage(&message);
  MQTTClient_free(topic);
  return 1;
}

static void on_lost(void *context, char *cause) {
  (void)context, (void)cause;
  say("lost");
}

static void do_connect(char **words) {
  char address[64];
  snprintf(address, sizeof address, "tcp://127.0.0.1:%s", words[0]);
  if (client != NULL)
    MQTTClient_destroy(&client);
  MQTTClient_create(&client, address, words[1], MQTTCLIENT_PERSISTENCE_NONE, NULL);
  MQTTClient_setCallbacks(client, NULL, on_lost, on_message, NULL);
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  MQTTClient_willOptions will = MQTTClient_willOptions_initializer;
  options.MQTTVersion = MQTTVERSION_3_1_1;
  options.cleansession = atoi(words[2]);
  options.keepAliveInterval = atoi(words[3]);
  options.username = text_of(words[4]);
  options.password = text_of(words[5]);
  options.maxInflightMessages = 20;
  if (text_of(words[6]) != NULL) {
    will.topicName = words[6];
    will.message = "gone";
    will.qos = atoi(words[7]);
    will.retained = atoi(words[8]);
    options.will = &will;
  }
  int code = MQTTClient_connect(client, &options);
  if (code == MQTTCLIENT_SUCCESS)
    say("connected %d", options.returned.sessionPresent);
  else
    say("refused %d", code);
}

static void do_subscribe(char **words) {
  int code = MQTTClient_subscribe(client, words[0], atoi(words[1]));
  say("subscribed %d", code == MQTTCLIENT_SUCCESS ? atoi(words[1]) : code); /* it does not tell a lower QoS */
}

static void do_unsubscribe(char **words) {
  MQTTClient_unsubscribe(client, words[0]);
  say("unsubscribed");
}

static void do_publish(char **words) {
  MQTTClient_deliveryToken token;
  const char *payload = payload_of(words[1]);
  int code = MQTTClient_publish(client, words[0], (int)strlen(payload), payload, atoi(words[2]), atoi(words[3]), &token);
  if (code == MQTTCLIENT_SUCCESS && atoi(words[2]) > 0)
    code = MQTTClient_waitForCompletion(client, token, 20000);
  say("%s %s", code == MQTTCLIENT_SUCCESS ? "published" : "failed", words[0]);
}

static void do_disconnect(void) {
  MQTTClient_disconnect(client, 1000);
  say("disconnected");
}

int main(void) {
  serve();
  return 0;
}
