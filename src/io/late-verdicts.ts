/** The part of io/runtime.ts that an authenticator needs whose verdict comes late. */
import type { Gateway } from '../gateway/gateway.ts';

export interface LateVerdicts {
  readonly gateway: Pick<Gateway, 'admit'>;
  later(decide: () => void): void;
  /** Where connections can prove who a node is. */
  identityOf?(session: number): string | undefined;
}
