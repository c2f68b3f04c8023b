export const WIDTH = 960;
export const LEFT = 84;
export const RIGHT = 20;

/** Text that is safe as HTML and SVG content and in quoted attributes. */
export function escapeHtml(value: string): string {
  return (
    value
      // Control characters are not allowed in XML, escaped or not.
      .replace(/[^\P{Cc}\t\n]/gu, "\ufffd")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/"/g, "&quot;")
      .replace(/'/g, "&#39;")
  );
}

/** Horizontal position of a time, kept inside the plot. */
export function timeScale(fromMs: number, toMs: number): (ms: number) => number {
  const span = Math.max(1, toMs - fromMs);
  return (ms) => {
    const share = Math.min(1, Math.max(0, (ms - fromMs) / span));
    return Math.round((LEFT + share * (WIDTH - LEFT - RIGHT)) * 10) / 10;
  };
}

export function label(x: number, y: number, text: string, anchor = "start", kind = "label"): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
}

/** One chart: an SVG with a title and a description for those who cannot see it. */
export function figure(id: string, height: number, title: string, about: string, body: string): string {
  return [
    `<svg role="img" aria-labelledby="${id}-t ${id}-d" viewBox="0 0 ${WIDTH} ${height}" xmlns="http://www.w3.org/2000/svg">`,
    `<title id="${id}-t">${escapeHtml(title)}</title><desc id="${id}-d">${escapeHtml(about)}</desc>`,
    body,
    "</svg>",
  ].join("\n");
}
