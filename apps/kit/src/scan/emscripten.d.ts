/** What the code reader's own types build on: as much of a compiled C++ module as is used here. */
interface EmscriptenModule {
  locateFile(file: string, folder: string): string;
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(place: number): void;
}
