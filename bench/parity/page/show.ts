// Pictures with boxes, and tables.
import type { Found } from './types.ts';

/** Draws the picture with its boxes, lines as thick as the picture is large. */
export function draw(canvas: HTMLCanvasElement, image: ImageData, found: Found[]): void {
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.putImageData(image, 0, 0);
  const unit = Math.max(image.width, image.height) / 400;
  context.font = `600 ${11 * unit}px system-ui, sans-serif`;
  context.textBaseline = 'top';
  context.lineWidth = 1.5 * unit;
  for (const { box, label, score } of found) {
    const [x1, y1, x2, y2] = box;
    const text = `${label} ${score.toFixed(2)}`;
    context.strokeStyle = '#4fe0c0';
    context.strokeRect(x1, y1, x2 - x1, y2 - y1);
    context.fillStyle = '#04211bcc';
    context.fillRect(x1, y1, context.measureText(text).width + 6 * unit, 14 * unit);
    context.fillStyle = '#ffffff';
    context.fillText(text, x1 + 3 * unit, y1 + 2 * unit);
  }
}

/** Fills a table; the first cell of a row is its heading. */
export function table(into: HTMLElement, head: string[], rows: string[][]): void {
  const row = (cells: string[], isHeading: (i: number) => boolean) => {
    const tr = document.createElement('tr');
    for (const [i, text] of cells.entries()) {
      const cell = document.createElement(isHeading(i) ? 'th' : 'td');
      cell.textContent = text;
      tr.append(cell);
    }
    return tr;
  };
  into.replaceChildren(
    row(head, () => true),
    ...rows.map((cells) => row(cells, (i) => i === 0)),
  );
}
