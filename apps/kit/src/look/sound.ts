/** Short tones that cannot be taken for each other, with a vibration for loud places. */
const TONES = {
  accepted: { notes: [880, 1_320], seconds: 0.12, wave: "sine", vibration: [80] },
  refused: { notes: [220, 160], seconds: 0.28, wave: "square", vibration: [200, 100, 200] },
} as const;

let audio: AudioContext | undefined;

export function playVerdict(verdict: keyof typeof TONES): void {
  const { notes, seconds, wave, vibration } = TONES[verdict];
  navigator.vibrate?.([...vibration]);
  try {
    audio ??= new AudioContext();
    void audio.resume();
    for (const [index, frequency] of notes.entries()) {
      const from = audio.currentTime + index * seconds;
      const oscillator = new OscillatorNode(audio, { frequency, type: wave });
      const volume = new GainNode(audio, { gain: 0.2 });
      oscillator.connect(volume).connect(audio.destination);
      oscillator.start(from);
      oscillator.stop(from + seconds);
    }
  } catch {
    // A browser without sound still shows colour and words.
  }
}
