/** The page's own screens where everything that can be long is: a thousand of each, and one run that trains. */
import { mount } from "svelte";
import App from "../../src/ui/App.svelte";
import "../../src/ui/tokens.css";
import "../../src/ui/base.css";
import type {
  Answers,
  AuditEntry,
  CheckpointInfo,
  Comparison,
  Health,
  Mark,
  Picture,
  RunDetail,
  RunEvent,
  RunInfo,
  RunStep,
  TrashedRun,
} from "../../src/worker/protocol";
import type { StoredData } from "../../src/worker/api";
import { checkpointOf, madeUpPreview } from "../../tests/support/fake-data";
import { FakeHoldfast } from "../../tests/support/fake-holdfast";

const MANY = 1000;
const AUDITED = 10_000;
/** Of a confusion matrix: its cells are as many squared. */
const CLASSES = 200;

const many = <T>(make: (at: number) => T): T[] => Array.from({ length: MANY }, (_, at) => make(at));
const classNames = Array.from({ length: CLASSES }, (_, at) => `class ${at}`);

class Thousands extends FakeHoldfast {
  override async runs(): Promise<readonly RunInfo[]> {
    const known = await super.runs();
    const running = known.filter(({ status }) => status === "running");
    const others = known.filter(({ status }) => status !== "running");
    const more = Array.from({ length: MANY - running.length }, (_, at): RunInfo => {
      const like = others[at % others.length] ?? known[0]!;
      // The first ones are those that can be opened.
      return at < others.length ? like : { ...like, id: `${like.id}${at}`, name: `${like.name}, ${at}` };
    });
    return [...running, ...more];
  }

  override async trash(): Promise<readonly TrashedRun[]> {
    const [like] = await super.trash();
    return like === undefined ? [] : many((at) => ({ ...like, id: `${like.id}${at}`, name: `Run ${at}` }));
  }

  override async checkpoints(run: string): Promise<readonly CheckpointInfo[]> {
    const [like] = await super.checkpoints(run);
    return like === undefined ? [] : many((at) => ({ ...like, step: 40 * at, loss: 1 + 1 / (at + 1) }));
  }

  override async detail(run: string): Promise<RunDetail> {
    const detail = await super.detail(run);
    const events = many((at): RunEvent[] => [
      { kind: "evaluated", seq: 2 * at, step: at, time: 0, metrics: { val_loss: 1, val_accuracy: 0.5 } },
      { kind: "resumed", seq: 2 * at + 1, step: at, time: 0, from: at, replayed: 0, why: "" },
    ]).flat();
    const marks = many((at): Mark => ({ step: at, pinned: true, tags: ["of note"], note: "" }));
    const checkpointList = many((at) => checkpointOf(run, detail.task, at, detail.created, "policy"));
    return { ...detail, events, marks, checkpointList };
  }

  override async picture(run: string, step = 0): Promise<Picture> {
    const picture = await super.picture(run, step);
    if ((await super.detail(run)).task !== "spirals") return picture;
    const counts = Int32Array.from({ length: CLASSES ** 2 }, (_, at) => at % 7);
    return { step, panels: [{ kind: "confusion", title: "Confusion", classes: classNames, counts }] };
  }

  override async compare(...steps: readonly RunStep[]): Promise<Comparison> {
    const comparison = await super.compare(...steps);
    const { tensors } = comparison;
    const like = (at: number) => tensors[at % tensors.length] ?? tensors[0]!;
    return { ...comparison, tensors: many((at) => ({ ...like(at), name: `param/block${at}/weight` })) };
  }

  override async answers(_run: string, step: number): Promise<Answers> {
    const right = Int32Array.from({ length: MANY }, () => 0);
    const examples = many((at) => `point at (${at}, ${-at})`);
    const given = right.map(() => Number(step > 400));
    return { kind: "classes", classes: ["0", "1"], examples, right, given };
  }

  override async health(): Promise<Health> {
    const checkpoints = many((at) => ({
      ...checkpointOf("shakespeare", "text", at, at, "policy"),
      tier: "recent" as const,
    }));
    const runs = many((at) => ({
      ...{ run: `r${at}`, name: `Run ${at}`, step: MANY, status: "finished" as const },
      checkpoints: checkpoints.slice(at, at + 1),
    }));
    const entries = Array.from({ length: AUDITED }, (_, at): AuditEntry => {
      const link = { tab: "k3f9", before: "", hash: "", ms: 60 } as const;
      // Saves, and looks at what was saved.
      const note =
        at % 50 < 30 ? ({ what: "saved", why: "policy" } as const) : ({ what: "restored", why: "" } as const);
      return { ...link, ...note, run: `r${at % 3}`, seq: at, time: at * 1000, step: at };
    });
    return { runs, audit: { entries, broken: [] } };
  }

  override async addData(...of: Parameters<FakeHoldfast["addData"]>): Promise<StoredData> {
    const [like, ...others] = madeUpPreview("table").columns ?? [];
    const columns = like && many((at) => ({ ...(others[at % 5] ?? like), name: `column ${at}` }));
    const data = await super.addData(...of);
    return { ...data, preview: { ...data.preview, ...(columns && { columns }) } };
  }
}

mount(App, {
  target: document.getElementById("app") ?? document.body,
  props: { api: new Thousands("full") },
});
