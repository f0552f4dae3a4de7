/** Makes `console.log` and `util.inspect` show something else in an object's place. Copies of it show themselves. */
export function inspectedAs<T extends object>(object: T, shown: unknown): T {
  return Object.defineProperty(object, Symbol.for("nodejs.util.inspect.custom"), { value: () => shown });
}
