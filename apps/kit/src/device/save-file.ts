/** Offers bytes as a download: the one way out of an app that asks no other origin for anything. */
export function saveFile(name: string, type: string, bytes: Uint8Array): void {
  const address = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download holds the bytes by then; browsers want a moment to take them over.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
