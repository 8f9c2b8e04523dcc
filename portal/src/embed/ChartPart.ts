/**
 * `<terrella-chart>`: series of a view's layers at its places and over its areas, as the portal draws them. Events:
 *
 *   terrella-pick     {time}: a place on the axis was chosen; give it to a map's `time` to go there
 *   terrella-failed   {message}
 */
import { mount, unmount } from "svelte";
import type { Coverages } from "../api/edr";
import { isAborted } from "../api/http";
import Chart from "../chart/Chart.svelte";
import type { ChartData } from "../chart/types";
import { clockOf, drawnPanes } from "../explore/scene";
import type { Answer } from "../probe/answers.svelte";
import { subjectsOf } from "../probe/requests";
import { shapeOf } from "../probe/shapes";
import { seriesCharts, seriesQuestions, type Question } from "../probe/wanted";
import type { View } from "../state/view";
import type { Part, Wanted } from "./elements";
import { Holdings, viewOf } from "./holdings";
import { made } from "./legends";
import { messageOf, text } from "./words";

const PLAIN = { kind: "none" } as const;
const NOBODY: ReadonlySet<string> = new Set();

export class ChartPart implements Part {
  readonly #box = made("div", "charts");
  readonly #said = made("p", "said");
  readonly #holdings = new Holdings(() => this.#draw());
  readonly #stop = new AbortController();
  readonly #answers: Record<string, Answer<Coverages>> = {};
  #charts: Record<string, unknown>[] = [];
  #shown = "";
  #wanted: Wanted;

  constructor(
    shadow: ShadowRoot,
    wanted: Wanted,
    private readonly tell: (event: string, detail: unknown) => void,
  ) {
    this.#wanted = wanted;
    this.#said.setAttribute("role", "status");
    shadow.replaceChildren(this.#box, this.#said);
    this.#draw();
  }

  change(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#draw();
  }

  destroy(): void {
    this.#stop.abort();
    this.#clear();
  }

  #draw(): void {
    if (this.#stop.signal.aborted) return;
    const view = viewOf(this.#wanted);
    this.#holdings.want(view);
    const { known, error } = this.#holdings;
    const drawn = drawnPanes(view, known)[0]?.filter((one) => one.layer.shown) ?? [];
    const subjects = subjectsOf(drawn);
    const probes = view.probes.filter((one) => shapeOf(one) !== "line");
    const questions = seriesQuestions(subjects, probes, { members: true, normals: PLAIN }, NOBODY);
    for (const one of questions) this.#ask(one);
    const { charts } = seriesCharts(subjects, probes, questions, this.#answers, PLAIN);
    this.#show(
      charts.map((one) => one.data),
      view,
    );
    const failed = questions.map((one) => this.#answers[one.wanted.slot]?.error).find((one) => one);
    this.#say(view, error ?? failed ?? null, probes.length > 0, charts.length > 0);
  }

  #ask({ wanted }: Question): void {
    const { slot, key } = wanted;
    if (this.#answers[slot]?.key === key) return;
    this.#answers[slot] = { key, of: "", value: null, error: null, isLoading: true };
    const keep = (answer: Partial<Answer<Coverages>>): void => {
      if (this.#answers[slot]?.key !== key) return;
      this.#answers[slot] = { key, of: key, value: null, error: null, isLoading: false, ...answer };
      this.#draw();
    };
    wanted.ask(this.#stop.signal).then(
      (value) => keep({ value }),
      (error: unknown) => {
        if (!isAborted(error)) keep({ error });
      },
    );
  }

  #show(charts: readonly ChartData[], view: View): void {
    const { iso, position } = clockOf(view, this.#holdings.known);
    const state = JSON.stringify([charts, iso]);
    if (state === this.#shown) return;
    this.#shown = state;
    this.#clear();
    for (const data of charts) {
      const target = made("section", "chart", made("h3", "title", data.title));
      this.#box.append(target);
      const marker = data.x.kind === "time" && iso ? position : null;
      const onpick = (_: number, words: string): void => this.tell("terrella-pick", { time: words });
      const height = Math.max(140, Number(this.#wanted.height) || 240);
      this.#charts.push(mount(Chart, { target, props: { data, marker, onpick, height } }));
      for (const one of data.credits) target.append(made("p", "credit", `${one.source} (${one.licence})`));
    }
  }

  #clear(): void {
    for (const one of this.#charts) void unmount(one);
    this.#charts = [];
    this.#box.replaceChildren();
  }

  #say(view: View, error: unknown, hasPlaces: boolean, hasCharts: boolean): void {
    let said = "";
    if (error !== null) said = messageOf(error);
    else if (!view.layers.length) said = text.nothing;
    else if (!hasPlaces) said = text.noPlace;
    else if (!hasCharts) said = text.loading;
    if (said === this.#said.textContent) return;
    this.#said.textContent = said;
    this.#said.classList.toggle("calm", said === text.loading);
    if (said && said !== text.loading) this.tell("terrella-failed", { message: said });
  }
}
