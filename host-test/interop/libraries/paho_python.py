"""Paho for Python as an adapter: see README.md for the lines that come and go."""
import sys

import paho.mqtt.client as mqtt


def say(*words):
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


state = {"client": None, "connected": False, "topics": {}}


def on_connect(client, _userdata, flags, code):
    if code != 0:
        say("refused", code)
        client.disconnect()
        return
    state["connected"] = True
    say("connected", flags["session present"])


def on_disconnect(_client, _userdata, code):
    if state["connected"]:
        say("lost" if code != 0 else "disconnected")
    state["connected"] = False


def on_message(_client, _userdata, message):
    say("message", message.qos, int(message.retain), message.topic, message.payload.decode() or "-")


def connect(port, identifier, clean, keepalive, user, password, will_topic, will_qos, will_retain):
    if state["client"] is not None:
        state["client"].loop_stop()
    client = mqtt.Client(identifier, clean_session=clean == "1", reconnect_on_failure=False)
    client.on_connect, client.on_disconnect, client.on_message = on_connect, on_disconnect, on_message
    client.on_subscribe = lambda _client, _userdata, _mid, granted: say("subscribed", granted[0])
    client.on_unsubscribe = lambda *_: say("unsubscribed")
    if user != "-":
        client.username_pw_set(user, password)
    if will_topic != "-":
        client.will_set(will_topic, "gone", int(will_qos), will_retain == "1")
    client.connect("127.0.0.1", int(port), int(keepalive))
    state["client"] = client
    client.loop_start()


def publish(topic, payload, qos, retain):
    info = state["client"].publish(topic, "" if payload == "-" else payload, int(qos), retain == "1")
    try:
        info.wait_for_publish(20)
        say("published" if info.is_published() else "failed", topic)
    except (RuntimeError, ValueError):
        say("failed", topic)


commands = {
    "connect": connect,
    "subscribe": lambda topic, qos: state["client"].subscribe(topic, int(qos)),
    "unsubscribe": lambda topic: state["client"].unsubscribe(topic),
    "publish": publish,
    "disconnect": lambda: state["client"].disconnect(),
}

for line in iter(sys.stdin.readline, ""):
    command, *words = line.split()
    commands[command](*words)
