/**
 * Hands on the map: mouse, wheel, trackpad, touch and keys become cameras, picks and a cross-hair.
 * Pixels here are CSS pixels from the upper left corner of the element.
 */
import type { GeoProjection } from "d3-geo";
import { anchored, panned, zoomed } from "./anchoring";
import { keyboard } from "./keyboard";
import { placeAt, ZOOMS } from "./projection";
import type { Camera, LonLat } from "./types";

/** The pane under a pixel: its projection counts from its own upper left corner. */
export interface PaneAt {
  projection: GeoProjection;
  pane: number;
  left: number;
  top: number;
}

export interface GestureHost {
  camera(): Camera;
  projectionAt(x: number, y: number): PaneAt;
  /** The user moved the camera; `moving` is false when it has come to rest. */
  move(camera: Camera, moving: boolean): void;
  pick(x: number, y: number): void;
  /** The pointer or the keyboard's cross-hair is over a pixel; null: over none. */
  point(x: number | null, y: number | null): void;
  /** Shows all of the Earth or of the data; without it the Home key does nothing. */
  home?(): void;
  /**
   * The map stands in a page that scrolls: the wheel is the page's until the map has the focus (with Ctrl it is the map's),
   * and one finger that goes up or down is the page's always.
   */
  readonly yields?: boolean | undefined;
  /** What may take clicks and drags for itself: the drawing of shapes. */
  readonly taker?: Taker | undefined;
}

/** Something on the map that takes gestures before the map does. */
export interface Taker {
  /** A press: true where the drag that may follow is its own. */
  grab(x: number, y: number, touch: boolean): boolean;
  drag(x: number, y: number): void;
  drop(x: number, y: number): void;
  /** The drag was broken off. */
  release(): void;
  /** True: the click is used up. `again` is true for the second one of a double click. */
  click(x: number, y: number, again: boolean): boolean;
  /** A pointer without a button; the cursor to show, or null. */
  hover(x: number | null, y: number | null): string | null;
  /** A key pressed on the map, with the cross-hair where it is shown. True: used up. */
  key(event: KeyboardEvent, crosshair: [x: number, y: number] | null): boolean;
}

const SLOP = { mouse: 3, touch: 9 } as const;
const DOUBLE = { within: 300, reach: 24 } as const;
const LONG_PRESS = 500;
const REST = 160;
/** Milliseconds in which the speed of a released map falls to a third. */
const GLIDE = 260;

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element &&
  target.closest("button, a, input, select, textarea, label, summary, [data-no-gestures]") !== null;

/** Gives an element gestures; returns what takes them away again. */
export function gestures(element: HTMLElement, host: GestureHost): () => void {
  const hands = new Hands(element, host);
  const stopKeys = keyboard(element, host, () => hands.stop());
  return () => {
    stopKeys();
    hands.end();
  };
}

interface Finger {
  x: number;
  y: number;
}
type Doing =
  | { what: "nothing" }
  | { what: "pressed"; x: number; y: number; touch: boolean }
  | { what: "panning"; place: LonLat | null; pane: PaneAt }
  | { what: "pinching"; place: LonLat | null; pane: PaneAt; apart: number; zoom: number }
  | { what: "taken" }
  | { what: "reading" };

class Hands {
  #fingers = new Map<number, Finger>();
  #doing: Doing = { what: "nothing" };
  #trail: { x: number; y: number; at: number }[] = [];
  #frame = 0;
  #rest = 0;
  #press = 0;
  #later = 0;
  #last: { x: number; y: number; at: number } | null = null;
  #wheel: { zoom: number; x: number; y: number; at: number } | null = null;
  #off = new AbortController();

  constructor(
    private readonly element: HTMLElement,
    private readonly host: GestureHost,
  ) {
    const options = { signal: this.#off.signal };
    // one finger moves the map, two scale it: the browser must not
    element.style.touchAction = host.yields ? "pan-y" : "none";
    element.addEventListener("pointerdown", (event) => this.#down(event), options);
    element.addEventListener("pointermove", (event) => this.#moved(event), options);
    element.addEventListener("pointerup", (event) => this.#up(event), options);
    element.addEventListener("pointercancel", (event) => this.#cancelled(event), options);
    element.addEventListener("pointerleave", () => this.#left(), options);
    element.addEventListener(
      "contextmenu",
      (event) => this.#doing.what === "reading" && event.preventDefault(),
      options,
    );
    element.addEventListener("wheel", (event) => this.#wheeled(event), { ...options, passive: false });
  }

  end(): void {
    this.stop();
    this.#off.abort();
    clearTimeout(this.#press);
    clearTimeout(this.#later);
    clearTimeout(this.#rest);
  }

  /** Ends a glide or a zoom that still goes on by itself. */
  stop(): void {
    if (this.#frame) cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#wheel = null;
  }

  #at(event: MouseEvent): Finger {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #down(event: PointerEvent): void {
    if (isControl(event.target) || (event.pointerType === "mouse" && event.button !== 0)) return;
    const at = this.#at(event);
    const touch = event.pointerType === "touch";
    const glided = this.#frame !== 0;
    this.stop();
    this.#fingers.set(event.pointerId, at);
    this.element.setPointerCapture(event.pointerId);
    this.element.focus({ preventScroll: true });
    clearTimeout(this.#press);
    if (this.#fingers.size === 2) return this.#pinch();
    if (this.#fingers.size > 2) return;
    if (this.host.taker?.grab(at.x, at.y, touch)) {
      this.#doing = { what: "taken" };
      return;
    }
    this.#trail = [];
    if (glided && touch) {
      // a finger that halts a gliding map does not mean to pick
      this.#grip(at, event.timeStamp);
      return;
    }
    this.#doing = { what: "pressed", ...at, touch };
    if (touch) this.#press = window.setTimeout(() => this.#read(at), LONG_PRESS);
  }

  #read(at: Finger): void {
    if (this.#doing.what !== "pressed") return;
    this.#doing = { what: "reading" };
    this.host.point(at.x, at.y);
  }

  #grip({ x, y }: Finger, now: number): void {
    const pane = this.host.projectionAt(x, y);
    this.#doing = { what: "panning", place: placeAt(pane.projection, x - pane.left, y - pane.top), pane };
    this.#trail = [{ x, y, at: now }];
    this.element.style.cursor = "grabbing";
  }

  #pinch(): void {
    if (this.#doing.what === "taken") this.host.taker?.release();
    const { x, y, apart } = this.#between();
    const pane = this.host.projectionAt(x, y);
    const place = placeAt(pane.projection, x - pane.left, y - pane.top);
    this.#doing = { what: "pinching", place, pane, apart, zoom: this.host.camera().zoom };
  }

  #between(): Finger & { apart: number } {
    const [one, other] = [...this.#fingers.values()] as [Finger, Finger];
    return {
      x: (one.x + other.x) / 2,
      y: (one.y + other.y) / 2,
      apart: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
    };
  }

  #moved(event: PointerEvent): void {
    const at = this.#at(event);
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return this.#hovered(event, at);
    const before = { ...finger };
    this.#fingers.set(event.pointerId, at);
    const doing = this.#doing;
    if (doing.what === "pressed") {
      if (Math.hypot(at.x - doing.x, at.y - doing.y) <= SLOP[doing.touch ? "touch" : "mouse"]) return;
      clearTimeout(this.#press);
      this.#grip(doing, event.timeStamp);
      this.#pan(at, doing, event.timeStamp);
    } else if (doing.what === "panning") this.#pan(at, before, event.timeStamp);
    else if (doing.what === "pinching" && this.#fingers.size === 2) this.#scale(doing);
    else if (doing.what === "taken") this.host.taker?.drag(at.x, at.y);
    else if (doing.what === "reading") this.host.point(at.x, at.y);
  }

  #hovered(event: PointerEvent, at: Finger): void {
    if (event.pointerType === "touch" || event.buttons) return;
    if (isControl(event.target)) return this.#left();
    this.element.style.cursor = this.host.taker?.hover(at.x, at.y) ?? "crosshair";
    this.host.point(at.x, at.y);
  }

  #left(): void {
    if (this.#fingers.size) return;
    this.host.taker?.hover(null, null);
    this.host.point(null, null);
  }

  #pan(at: Finger, before: Finger, now: number): void {
    const doing = this.#doing;
    if (doing.what !== "panning") return;
    const camera = this.host.camera();
    if (doing.place) {
      const [x, y] = this.#offset(doing.pane, at);
      this.#go(anchored(camera, doing.place, x, y));
    } else this.#go(panned(camera, at.x - before.x, at.y - before.y));
    this.#trail = [...this.#trail.filter((one) => now - one.at < 90), { ...at, at: now }];
  }

  #scale(doing: Extract<Doing, { what: "pinching" }>): void {
    const { x, y, apart } = this.#between();
    const [dx, dy] = this.#offset(doing.pane, { x, y });
    this.#go(zoomed(this.host.camera(), doing.zoom + Math.log2(apart / doing.apart), doing.place, dx, dy));
  }

  /** Pixels from the middle of a pane: there lies the camera's place. */
  #offset(pane: PaneAt, { x, y }: Finger): [number, number] {
    const { projection } = this.host.projectionAt(pane.left + 1, pane.top + 1);
    const { lon, lat } = this.host.camera();
    const middle = projection([lon, lat]) ?? [0, 0];
    return [x - pane.left - middle[0], y - pane.top - middle[1]];
  }

  #up(event: PointerEvent): void {
    if (!this.#fingers.delete(event.pointerId)) return;
    clearTimeout(this.#press);
    const at = this.#at(event);
    const doing = this.#doing;
    if (doing.what === "pinching") {
      const left = [...this.#fingers.values()][0];
      if (left) this.#grip(left, event.timeStamp);
      else this.#settle();
      return;
    }
    if (this.#fingers.size) return;
    this.#doing = { what: "nothing" };
    this.element.style.cursor = "crosshair";
    if (doing.what === "pressed") this.#clicked(at, event.timeStamp);
    else if (doing.what === "taken") this.host.taker?.drop(at.x, at.y);
    else if (doing.what === "panning") this.#glide(event.timeStamp);
  }

  #cancelled(event: PointerEvent): void {
    if (!this.#fingers.delete(event.pointerId)) return;
    clearTimeout(this.#press);
    if (this.#doing.what === "taken") this.host.taker?.release();
    if (this.#fingers.size) return;
    this.#doing = { what: "nothing" };
    this.#settle();
  }

  #clicked({ x, y }: Finger, now: number): void {
    const last = this.#last;
    const again = last !== null && now - last.at < DOUBLE.within && Math.hypot(last.x - x, last.y - y) < DOUBLE.reach;
    this.#last = again ? null : { x, y, at: now };
    clearTimeout(this.#later);
    if (this.host.taker?.click(x, y, again)) return;
    if (again) this.#ease(1, x, y);
    // a double click zooms: only what stays single is a pick
    else this.#later = window.setTimeout(() => this.host.pick(x, y), DOUBLE.within);
  }

  #wheeled(event: WheelEvent): void {
    if (isControl(event.target)) return;
    if (this.host.yields && !event.ctrlKey && !this.element.matches(":focus")) return;
    event.preventDefault();
    const unit =
      event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : event.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 300 : 1;
    // a pinch on a trackpad comes as a wheel with ctrl, in small steps
    const step = Math.max(-1, Math.min(1, (-event.deltaY * unit) / (event.ctrlKey ? 100 : 320)));
    if (step) this.#ease(step, ...(Object.values(this.#at(event)) as [number, number]));
  }

  /** Zooms on towards a zoom, step by step, about a pixel. */
  #ease(step: number, x: number, y: number): void {
    const from = this.#wheel?.zoom ?? this.host.camera().zoom;
    const goes = this.#wheel !== null;
    if (!goes) this.stop();
    this.#wheel = { zoom: within(from + step), x, y, at: goes ? this.#wheel!.at : performance.now() };
    if (!goes) this.#frame = requestAnimationFrame((now) => this.#nearer(now));
  }

  #nearer(now: number): void {
    const wheel = this.#wheel;
    if (!wheel) return;
    const camera = this.host.camera();
    const gap = wheel.zoom - camera.zoom;
    const share = isStill() ? 1 : 1 - Math.exp(-Math.max(1, now - wheel.at) / 55);
    const isThere = Math.abs(gap) < 0.004;
    const pane = this.host.projectionAt(wheel.x, wheel.y);
    const place = placeAt(pane.projection, wheel.x - pane.left, wheel.y - pane.top);
    const [dx, dy] = this.#offset(pane, wheel);
    wheel.at = now;
    this.#go(zoomed(camera, isThere ? wheel.zoom : camera.zoom + gap * share, place, dx, dy));
    // what the camera refused it will refuse again
    if (isThere || this.host.camera().zoom === camera.zoom) {
      this.#frame = 0;
      this.#wheel = null;
    } else this.#frame = requestAnimationFrame((later) => this.#nearer(later));
  }

  /** A map that is let go while it moves slows down by itself. */
  #glide(now: number): void {
    const [first, last] = [this.#trail[0], this.#trail.at(-1)];
    const time = first && last ? last.at - first.at : 0;
    if (!first || !last || time < 8 || now - last.at > 60 || isStill()) return this.#settle();
    let [x, y, then] = [(last.x - first.x) / time, (last.y - first.y) / time, performance.now()];
    if (Math.hypot(x, y) < 0.08) return this.#settle();
    const step = (later: number): void => {
      const passed = Math.max(0, Math.min(64, later - then));
      then = later;
      this.#go(panned(this.host.camera(), x * passed, y * passed));
      x *= Math.exp(-passed / GLIDE);
      y *= Math.exp(-passed / GLIDE);
      if (Math.hypot(x, y) > 0.015) this.#frame = requestAnimationFrame(step);
      else {
        this.#frame = 0;
        this.#settle();
      }
    };
    this.#frame = requestAnimationFrame(step);
  }

  #go(camera: Camera): void {
    this.host.move(camera, true);
    this.#await();
  }

  /** Comes to rest when nothing has moved for a while; what goes on by itself may only be waiting for a slow frame. */
  #await(): void {
    clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => (this.#frame ? this.#await() : this.#settle()), REST);
  }

  #settle(): void {
    clearTimeout(this.#rest);
    this.#rest = 0;
    // fingers on the map, even if they hold still, may go on at any time: but what is seen may become fine
    this.host.move(this.host.camera(), false);
  }
}

const within = (zoom: number): number => Math.max(ZOOMS.least, Math.min(ZOOMS.most, zoom));

/** Whether people asked their system for less motion. */
export const isStill = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
