/** In the place of the compressing library, which the apps would carry for nothing: they read status lists, and write none. */
export function zlibSync(): never {
  throw new TypeError("Apps write no status lists.");
}
