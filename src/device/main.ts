/**
 * The entry point on the ESP32 and in Moddable's simulator.
 */
import Listener from 'embedded:io/socket/listener';
import TCP from 'embedded:io/socket/tcp';
import config from 'mc/config';
import Time from 'time';
import { completeConfiguration, createSimulatedSensor, describeEvent, ReasonCode, Runtime, type PartialConfiguration } from './core.ts';
import { DeviceTimer } from './timer.ts';
import type { ListenerConstructor, TCPConstructor } from '../io/transport.ts';

const runtime = new Runtime(completeConfiguration((config.ringbridge ?? {}) as PartialConfiguration), {
  TCP: TCP as TCPConstructor,
  Listener: Listener as ListenerConstructor,
  resolver: { resolve: (host, onResolved) => onResolved(host) },
  authenticator: { authenticate: () => ReasonCode.SUCCESS },
  createSensor: configuration => createSimulatedSensor(configuration, Math.random),
  createTimer: onTimer => new DeviceTimer(onTimer),
  time: () => Time.ticks,
  random: Math.random,
  landingCapacity: 1536,
  resizable: true,
}, {
  onListening: port => trace(`listening on port ${port}\n`),
  onListenerError: message => trace(`${message}\n`),
  onException: error => trace(`${String(error)}\n`),
  onEvent: (event, subject, detail) => trace(`${describeEvent(runtime.gateway, event, subject, detail)}\n`),
  onSensorFailed: (sensor, error) => trace(`sensor ${sensor.name} fails: ${String(error)}\n`),
  onSensorRecovered: sensor => trace(`sensor ${sensor.name} is back\n`),
});
runtime.start();
