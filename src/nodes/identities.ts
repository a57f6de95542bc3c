/** The identities of nodes, by which the store knows them: made from the hashes of their identifiers. */
import { type HashChains, NO_ENTRY } from '../bytes/hash-chains.ts';
import type { NodeState } from './node-state.ts';

export class Identities {
  private readonly states: readonly NodeState[];
  private readonly chains: HashChains | undefined;
  /** Some identity may not be what `NodeStates.name` makes of its identifier. */
  private hasOthers = false;

  /** @param chains the nodes by the hashes of their identifiers; undefined: few are looked through */
  constructor(states: readonly NodeState[], chains: HashChains | undefined) {
    this.states = states;
    this.chains = chains;
  }

  /** @returns the session of this identity, or undefined */
  find(identity: number): NodeState | undefined {
    const { chains } = this;
    if (chains === undefined)
      return this.search(identity);
    return this.findByHash(chains, identity, identity) ?? this.findByHash(chains, identity ^ 1, identity)
      ?? (this.hasOthers ? this.search(identity) : undefined);
  }

  private findByHash(chains: HashChains, hash: number, identity: number): NodeState | undefined {
    for (let index = chains.first(hash); index !== NO_ENTRY; index = chains.next(index))
      if (this.states[index]!.identity === identity)
        return this.states[index];
    return undefined;
  }

  private search(identity: number): NodeState | undefined {
    const { states } = this;
    for (let index = 0; index < states.length; ++index)
      if (states[index]!.identifierLength !== 0 && states[index]!.identity === identity)
        return states[index];
    return undefined;
  }

  /** @returns the node of this identity, or its place if it is forgotten and nobody else has that; or undefined */
  findName(identity: number): NodeState | undefined {
    const { states } = this;
    let former: NodeState | undefined;
    for (let index = 0; index < states.length; ++index) {
      const state = states[index]!;
      if (state.identity !== (identity | 0))
        continue;
      if (state.identifierLength !== 0)
        return state;
      if (state.formerLength !== 0)
        former = state;
    }
    return former;
  }

  /** The store knows the node by this identity. */
  give(state: NodeState, identity: number): void {
    if (state.identity !== identity)
      this.hasOthers = true;
    state.identity = identity;
  }

  /** Of two identifiers with the same hash the second one gets another identity: what is stored goes by that. */
  distinguish(state: NodeState): void {
    let { identity } = state;
    state.identity = 0;
    while (this.find(identity) !== undefined) {
      identity = identity + 2 | 0;
      this.hasOthers = true;
    }
    state.identity = identity;
  }
}
