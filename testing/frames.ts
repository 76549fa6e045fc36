import type { BrowserContext } from "./chromium.ts";

/** How a hand holds a phone before a camera: the picture as a page shows it, photographed. */
const FRAMES = {
  tilted: { transform: "perspective(900px) rotateY(24deg) rotateX(-12deg) rotate(9deg) scale(0.8)", filter: "none" },
  blurred: { transform: "scale(0.85)", filter: "blur(1.6px)" },
  dim: { transform: "rotate(-6deg) scale(0.7)", filter: "brightness(0.35) contrast(0.8)" },
} as const;
export type Frame = keyof typeof FRAMES;
export const FRAME_NAMES: readonly Frame[] = ["tilted", "blurred", "dim"];

/** A picture (PNG) as it looks when it is held so. Uses a page of its own in the browser. */
export async function photograph(browser: BrowserContext, picture: Buffer, frame: Frame): Promise<Buffer> {
  const { transform, filter } = FRAMES[frame];
  const stage = await browser.newPage();
  try {
    await stage.setViewportSize({ width: 1_280, height: 720 });
    await stage.setContent(
      `<body style="margin:0;height:100vh;display:grid;place-items:center;background:#778"><img style="height:92vh;transform:${transform};filter:${filter}" src="data:image/png;base64,${picture.toString("base64")}">`,
    );
    return await stage.screenshot();
  } finally {
    await stage.close();
  }
}
