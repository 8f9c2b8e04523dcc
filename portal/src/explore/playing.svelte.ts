/** Plays the common time: forward over the steps of all layers, never before the next ones are here. */
import { board } from "../state/board.svelte";
import { isoOf } from "../state/instants";
import { portal } from "../state/portal.svelte";
import { fieldsAhead, type Drawn } from "./scene";

/** Steps that are fetched before they are due. */
const AHEAD = 8;
/** Milliseconds after which it goes on without a step that does not come. */
const PATIENCE = 8000;
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

class Player {
  isPlaying = $state(false);
  /** It would go on, but the next step has not come yet. */
  isWaiting = $state(false);
  /** Steps a second. */
  speed = $state(2);
  loops = $state(true);
  /** Where play starts over and ends, as positions; null: at the ends of the line. */
  span = $state.raw<[number, number] | null>(null);
  #frame = 0;
  #last = 0;
  /** Where it is: a step of the line and the share of the way to the next. */
  #step = 0;
  #share = 0;
  #fetched = -1;

  play(): void {
    const { line, clock } = board;
    if (line.count < 2) return;
    const [first, end] = this.#ends();
    this.#step = Number.isFinite(clock.position) ? line.before(clock.position) : first;
    if (this.#step < first || this.#step >= end) this.#step = first;
    const gap = line.places[this.#step + 1]! - line.places[this.#step]!;
    const into = clock.position - line.places[this.#step]!;
    this.#share = portal.view.blend && into > 0 && into < gap ? into / gap : 0;
    this.#fetched = -1;
    this.#last = this.#rests = 0;
    this.#since = performance.now();
    this.isPlaying = board.playing = true;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(this.#tick);
  }

  pause(): void {
    cancelAnimationFrame(this.#frame);
    this.isPlaying = board.playing = this.isWaiting = false;
  }

  #ends(): [number, number] {
    const { line } = board;
    if (!this.span) return [0, line.count - 1];
    const first = Math.max(0, line.before(this.span[0] - 1) + 1);
    return [Math.min(first, line.count - 2), Math.max(first + 1, line.before(this.span[1]))];
  }

  #tick = (now: number): void => {
    if (!this.isPlaying) return;
    this.#frame = requestAnimationFrame(this.#tick);
    const { line } = board;
    if (line.count < 2) return this.pause();
    // a hidden page comes back where it was, and a slow frame is no jump
    const passed = this.#last === 0 || document.hidden ? 0 : Math.min(0.25, (now - this.#last) / 1000);
    this.#last = now;
    if (this.#fetched !== this.#step) this.#fetch();
    this.isWaiting = !this.#isHere(now);
    if (this.isWaiting) return;
    this.#share += passed * this.speed;
    if (this.#share >= 1) {
      // one step at a time: what comes after the next is looked at when it is due
      this.#share = Math.min(this.#share - 1, 0.999);
      if (!this.#next()) return this.pause();
    }
    this.#show();
  };

  /** Goes to the next step; false at the end. */
  #next(): boolean {
    const [first, end] = this.#ends();
    this.#step++;
    if (this.#step < end) return true;
    this.#step = end;
    this.#share = 0;
    if (!this.loops) return (this.#show(), false);
    if (this.#rests++ < 1) return true;
    this.#rests = 0;
    this.#step = first;
    return true;
  }
  /** The last step is seen as long as any other before it starts again. */
  #rests = 0;

  #show(): void {
    const { line } = board;
    const here = line.places[this.#step]!;
    const next = line.places[this.#step + 1];
    const isBetween = portal.view.blend && next !== undefined && this.#share > 0 && this.#rests === 0;
    const iso = isBetween ? isoOf(here + (next - here) * this.#share) : line.iso(this.#step);
    if (portal.view.time !== iso) portal.view.time = iso;
  }

  #layers(): Drawn[] {
    const all = board.drawn.flatMap((one) => (one.minus ? [one, one.minus] : [one]));
    return all.filter((one) => one.layer.shown && one.layer.time === null && one.steps && one.steps.count > 1);
  }

  #fetch(): void {
    this.#fetched = this.#step;
    const position = board.line.places[this.#step];
    if (position === undefined || !board.map) return;
    const lists = this.#layers().map((one) => fieldsAhead(one, position, AHEAD));
    // by time, not by layer: all of the next step first
    const fields = Array.from({ length: AHEAD }, (_, index) => lists.flatMap((list) => list[index] ?? [])).flat();
    void board.map.prefetch(fields);
  }

  /** Whether all that is drawn until the next step is here; what does not come at all is not waited for. */
  #isHere(now: number): boolean {
    const position = board.line.places[this.#step];
    if (position === undefined || !board.map) return true;
    const fields = this.#layers().flatMap((one) => fieldsAhead(one, position, 2).flat());
    if (board.map.has(fields)) this.#since = now;
    return now - this.#since < 1 || now - this.#since > PATIENCE;
  }
  #since = 0;
}

export const player = new Player();
