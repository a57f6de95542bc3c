/** What only the platform knows of the side of the nodes, for the status: the port, and since when who is there. */
import { NODE_CLOSED, NODE_CONNECTED } from '../config/events.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ListenerStatus, LocalStatus } from '../gateway/status-sources.ts';

const seconds = (): number => Math.floor(Date.now() / 1000);

export class LocalSide implements LocalStatus {
  listener: ListenerStatus = { port: null, problem: null };
  /** Per node, in seconds since 1970; those of former runs are not known. */
  private readonly since: (number | undefined)[] = [];
  /** Per session the index of its node. */
  private readonly nodes: (number | undefined)[] = [];

  opened(port: number): void {
    this.listener = { port, problem: null };
  }

  failed(problem: string): void {
    this.listener = { port: null, problem };
  }

  sinceOf(node: number): number | null {
    return this.since[node] ?? null;
  }

  note(event: number, subject: number, { nodes, sessions }: Gateway): void {
    const session = sessions[subject];
    if (session === undefined)
      return;
    if (event === NODE_CONNECTED) {
      const node = nodes.states.find(state => state.session === session);
      this.nodes[subject] = node?.index;
      if (node !== undefined)
        this.since[node.index] = seconds();
    } else if (event === NODE_CLOSED) {
      const index = this.nodes[subject];
      this.nodes[subject] = undefined;
      const present = index === undefined ? session : nodes.states[index]!.session;
      if (present === undefined || present === session && index !== undefined)
        this.since[index!] = seconds();
    }
  }
}
