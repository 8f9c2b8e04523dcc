/** Draws what each layer covers: a thin bar from its first to its last step, with its steps where they can be told apart. */
import type { Steps } from "../state/steps";

const HEIGHT = 22;

export function paintLanes(
  canvas: HTMLCanvasElement,
  lanes: readonly Steps[],
  [from, to]: readonly [number, number],
  width: number,
): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(HEIGHT * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  // resolved colours: a canvas does not understand light-dark()
  const [bar, dot] = [style.borderTopColor, style.color];
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const high = Math.min(8, (HEIGHT - 2) / Math.max(1, lanes.length) - 1);
  const top = (HEIGHT - lanes.length * (high + 1)) / 2;
  const x = (at: number): number => ((at - from) / (to - from)) * width;
  lanes.forEach((steps, lane) => {
    const y = top + lane * (high + 1);
    const [start, end] = [x(steps.at(0)), x(steps.at(steps.count - 1))];
    context.fillStyle = bar;
    context.beginPath();
    context.roundRect(
      Math.max(-9, start - 2),
      y,
      Math.max(4, Math.min(width + 9, end + 2) - Math.max(-9, start - 2)),
      high,
      high / 2,
    );
    context.fill();
    // steps closer than three pixels are one bar
    if ((steps.usual / (to - from)) * width < 3 && steps.count > 1) {
      context.fillStyle = dot;
      context.globalAlpha = 0.45;
      context.fill();
      context.globalAlpha = 1;
      return;
    }
    context.fillStyle = dot;
    for (let index = Math.max(0, steps.before(from)); index < steps.count && steps.at(index) <= to; index++) {
      const wide = Math.min(high, 5);
      context.beginPath();
      context.arc(x(steps.at(index)), y + high / 2, wide / 2, 0, 7);
      context.fill();
    }
  });
}
