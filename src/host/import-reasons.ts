/**
 * Keys of mosquitto.conf that have no counterpart here, and why: beside FOREIGN_KEYS, which answers those that people
 * write into our files.
 */
import { FOREIGN_KEYS } from './foreign-keys.ts';
import type { Draft } from './import-draft.ts';
import type { Line } from './import-lines.ts';

/** Without these something is missing, or safer there than here. */
const LOST: Readonly<Record<string, string>> = Object.freeze({
  allow_zero_length_clientid: 'a node without client identifier gets one; refuse it by rights in listener.acl',
  auth_plugin: 'there are no plugins: whom it lets in is not known here; write entries of listener.users and listener.acl',
  bind_interface: 'addresses are listened on, not interfaces; write the address of the interface as listener.address',
  bridge_outgoing_retain: 'messages keep their RETAIN flag on their way to the broker; let nodes publish without it',
  bridge_require_ocsp: 'certificates are not asked about; let the broker have short-lived ones',
  capath: 'a folder of CAs is not read; put them into one file, and write that as listener.cafile',
  check_retain_source: 'a retained message stays when its node may not publish it any more; delete it with an empty one',
  ciphers: 'the ciphers are those of Node; write "tls_version": "tlsv1.3" in listener to leave old ones out',
  'ciphers_tls1.3': 'the ciphers are those of Node, all of TLS 1.3',
  clientid_prefixes: 'client identifiers are not a reason to be let in; give nodes a user of listener.users, and rights with %c',
  crlfile: 'lists of revoked certificates are not read; take the user of such a node out of listener.users, or renew the CA',
  http_dir: 'files are not served; let another web server do that, and write its origin into listener.websockets_origin',
  max_qos: 'nodes may use all QoS; lower "qos" of the topic rules instead',
  memory_limit: 'memory is laid out at the start; lower listener.max_connections and max_queued_bytes, and see "ringbridge check"',
  plugin: 'there are no plugins: whom it lets in is not known here; write entries of listener.users and listener.acl',
  queue_qos0_messages: 'QoS 0 does not wait for a node that is away; let it subscribe and be published to with QoS 1',
  retain_available: 'retained messages are kept; write "max_retained_messages": 0 in listener to keep none',
  tls_engine: 'keys are read from files; write listener.keyfile',
  use_subject_as_username: 'the CN of a certificate can be the user, its whole subject cannot; write "use_identity_as_username": true',
  use_username_as_clientid: 'client identifiers stay as nodes say them; write rights with %u, which are about the user',
});

/** Nothing is missing without these. */
const NEEDLESS: Readonly<Record<string, string>> = Object.freeze({
  allow_duplicate_messages: 'a node gets a message once, whatever subscriptions of it match',
  auth_plugin_deny_special_chars: 'there are no plugins',
  auto_id_prefix: 'a node without client identifier gets one all the same',
  autosave_on_changes: 'store.durability "flash" writes at once',
  bridge_max_topic_alias: 'Topic Aliases are not used',
  bridge_receive_maximum: 'write upstream.max_inflight_messages if the broker has a limit',
  bridge_reload_type: 'at a reload, "kill -HUP", what has changed is connected anew',
  bridge_session_expiry_interval: 'with bridge_protocol_version "mqttv50" the session is asked to be kept for ever',
  bridge_tcp_keepalive: 'upstream.keepalive_interval and acknowledgement_timeout notice a dead connection',
  bridge_tcp_user_timeout: 'upstream.send_timeout notices a broker that takes nothing',
  connection_messages: 'the log says who connects; write log_level "warning" to leave that out',
  dhparamfile: 'keys are agreed on with elliptic curves',
  global_max_clients: 'listener.max_connections is the limit',
  http_api_dir: 'there is a page with a key of its own, "page"',
  local_cleansession: 'the gateway is its own broker for the nodes',
  local_password: 'the gateway is its own broker for the nodes',
  local_username: 'the gateway is its own broker for the nodes',
  log_facility: 'the log goes to standard error, from which the service keeps it',
  log_timestamp: 'lines of the log have their time',
  log_timestamp_format: 'lines of the log have their time',
  max_topic_alias_broker: 'no Topic Alias is used towards nodes, and they do without',
  retain_expiry_interval: 'retained messages expire as their publisher says',
  retry_interval: 'nothing is sent again on a connection that stands, as Mosquitto does since 1.5',
  store_clean_interval: 'there is nothing to be cleaned',
  tls_engine_kpass_sha1: 'keys are read from files',
  tls_keyform: 'keys are read from files, PEM',
  user: 'the service knows as whom it runs',
  websockets_headers_size: 'the request of a WebSocket may have 4096 bytes',
  websockets_log_level: 'log_level is for all that is logged',
});

const REMOVE = 'remove it; ';

/** Says why there is no such key here. */
export function remarkOnKey(draft: Draft, line: Line): void {
  const { key } = line;
  const foreign = Object.hasOwn(FOREIGN_KEYS, key) ? FOREIGN_KEYS[key]! : undefined;
  if (Object.hasOwn(LOST, key))
    draft.remark(line, 'lost', LOST[key]!);
  else if (Object.hasOwn(NEEDLESS, key))
    draft.remark(line, 'needless', NEEDLESS[key]!);
  else if (/^(?:auth|plugin)_opt_/.test(key))
    draft.remark(line, 'needless', 'there are no plugins');
  else if (foreign !== undefined)
    draft.remark(line, 'needless', foreign.startsWith(REMOVE) ? foreign.slice(REMOVE.length) : foreign);
  else
    draft.remark(line, 'lost', 'Mosquitto 2.0 has no such key; look for a slip of the pen, and import again');
}
