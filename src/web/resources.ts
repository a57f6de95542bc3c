/** Finds what a path stands for: byte by byte as it came. There is no file behind a path, so there is no way to one. */
import { asciiOf } from './field-names.ts';
import type { RequestHead } from './request-head.ts';
import type { Resource } from './resource.ts';

export class Resources {
  private readonly paths: readonly Uint8Array[];
  private readonly resources: readonly Resource[];

  constructor(resources: readonly Resource[]) {
    this.resources = resources;
    this.paths = resources.map(({ path }) => asciiOf(path));
  }

  find(head: RequestHead): Resource | undefined {
    const { paths } = this;
    for (let index = 0; index < paths.length; ++index)
      if (isPath(head, paths[index]!))
        return this.resources[index];
    return undefined;
  }
}

function isPath({ bytes, pathLength, pathOffset }: RequestHead, path: Uint8Array): boolean {
  if (pathLength !== path.length)
    return false;
  for (let index = 0; index < pathLength; ++index)
    if (bytes[pathOffset + index] !== path[index])
      return false;
  return true;
}
