/* libmosquitto as an adapter: see README.md. */
#define _GNU_SOURCE
#include <mosquitto.h>
#include <pthread.h>
#include "adapter.h"

static struct mosquitto *client;
static int connected;
/* By packet identifier; of QoS 0 the library says that it has sent it before it tells the identifier. */
static char *topics[65536];
static const char *current;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void on_connect(struct mosquitto *from, void *context, int code, int flags) {
  (void)from, (void)context;
  connected = code == 0;
  if (code == 0)
    say("connected %d", flags & 1);
  else
    say("refused %d", code);
}

static void on_disconnect(struct mosquitto *from, void *context, int code) {
  (void)context;
  if (connected)
    say(code == 0 ? "disconnected" : "lost");
  connected = 0;
  if (code != 0)
    mosquitto_disconnect(from); /* it would come back by itself, and the driver says when */
}

static void on_message(struct mosquitto *from, void *context, const struct mosquitto_message *message) {
  (void)from, (void)context;
  say_message(message->qos, message->retain, message->topic, message->payload, message->payloadlen);
}

static void on_subscribe(struct mosquitto *from, void *context, int identifier, int count, const int *granted) {
  (void)from, (void)context, (void)identifier, (void)count;
  say("subscribed %d", granted[0]);
}

static void on_unsubscribe(struct mosquitto *from, void *context, int identifier) {
  (void)from, (void)context, (void)identifier;
  say("unsubscribed");
}

static void on_publish(struct mosquitto *from, void *context, int identifier) {
  (void)from, (void)context;
  pthread_mutex_lock(&lock);
  say("published %s", topics[identifier] != NULL ? topics[identifier] : current);
  pthread_mutex_unlock(&lock);
}

static void do_connect(char **words) {
  if (client != NULL) {
    /* Not by force: a thread that is cancelled while it writes a line has the next one write it again. */
    mosquitto_disconnect(client);
    mosquitto_loop_stop(client, 0);
    mosquitto_destroy(client);
  }
  client = mosquitto_new(words[1], atoi(words[2]) != 0, NULL);
  mosquitto_connect_with_flags_callback_set(client, on_connect);
  mosquitto_disconnect_callback_set(client, on_disconnect);
  mosquitto_message_callback_set(client, on_message);
  mosquitto_subscribe_callback_set(client, on_subscribe);
  mosquitto_unsubscribe_callback_set(client, on_unsubscribe);
  mosquitto_publish_callback_set(client, on_publish);
  if (text_of(words[4]) != NULL)
    mosquitto_username_pw_set(client, words[4], text_of(words[5]));
  if (text_of(words[6]) != NULL)
    mosquitto_will_set(client, words[6], 4, "gone", atoi(words[7]), atoi(words[8]) != 0);
  mosquitto_connect_async(client, "127.0.0.1", atoi(words[0]), atoi(words[3]));
  mosquitto_loop_start(client);
}

static void do_subscribe(char **words) { mosquitto_subscribe(client, NULL, words[0], atoi(words[1])); }
static void do_unsubscribe(char **words) { mosquitto_unsubscribe(client, NULL, words[0]); }

static void do_publish(char **words) {
  const char *payload = payload_of(words[1]);
  int identifier = 0;
  pthread_mutex_lock(&lock);
  current = words[0];
  if (mosquitto_publish(client, &identifier, words[0], (int)strlen(payload), payload, atoi(words[2]), atoi(words[3]) != 0) != 0)
    say("failed %s", words[0]);
  topics[identifier] = strdup(words[0]);
  pthread_mutex_unlock(&lock);
}

static void do_disconnect(void) { mosquitto_disconnect(client); }

int main(void) {
  mosquitto_lib_init();
  serve();
  return 0;
}
