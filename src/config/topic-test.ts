/** What the author of a configuration expects of a topic; checked by host/config-tests.ts before the file is used. */
export interface TopicTest {
  /** The topic of a message of a node, or instead of it `receive`, one of the broker. */
  publish?: string;
  receive?: string;
  /** Of the node. Null: one without user name; not given: nobody in particular, so that rights do not matter. */
  user?: string | null;
  clientid?: string;
  /** Of the message; 1 when not given. */
  qos?: number;
  expect?: {
    allowed?: boolean;
    local?: string | null;
    remote?: string | null;
    qos?: number | null;
    stored?: boolean;
    readers?: readonly (string | null)[];
  };
}
