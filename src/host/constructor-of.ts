/**
 * @param make gives what `new` is to give
 * @returns a function that `new` can be used with: what makes sockets and listeners may choose which
 */
export function constructorOf<Constructor, Options>(make: (options: Options) => object): Constructor {
  return function (options: Options) {
    return make(options);
  } as unknown as Constructor;
}
