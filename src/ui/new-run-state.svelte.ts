/** The form of a new run: what is typed, what is wrong with it, and the start. */
import { SvelteMap } from "svelte/reactivity";
import { messageOf } from "../errors";
import type { HoldfastPage, StartOptions, StoredData } from "../worker/api";
import type {
  Config,
  DataFile,
  Field,
  FieldValue,
  OptimizerKind,
  PresetName,
  SavedModelName,
  SaveRule,
  ScheduleKind,
  TaskInfo,
} from "../worker/protocol";
import { COLUMN_SETTINGS } from "../tasks/column-settings";
import { DataChoice } from "./data-choice.svelte";
import { DrawnClasses } from "./drawn-classes.svelte";
import { drawingFiles, missingWords, type DrawnSet } from "./drawn-set";
import { formValue, type FormValue, parseField } from "./field-parse";
import {
  CLIP_NORM,
  DRAW,
  EVALUATE,
  EVERY,
  isOptimizerKind,
  isScheduleKind,
  KEEP,
  LEARNING_RATE,
  OPTIMIZER,
  optimizerFields,
  presetDecay,
  SAVE_KIND,
  saveEveryField,
  SCHEDULE,
  scheduleFields,
  SEED,
  STEPS,
  WATCH_FIELDS,
} from "../tasks/training-fields";
import { withWatch } from "./number-settings";
import { pageStorage } from "./page-storage";
import type { Settings } from "./settings";
import { defaultPolicy, POLICIES, type PolicyName } from "../policy/presets";

/** Values and errors are kept under `<group>/<field>`: two tasks may use one name for different things. */
type Key = string;

/** Components read it; inputs call `set`. */
export class NewRunState {
  readonly api: HoldfastPage;
  readonly tasks: readonly TaskInfo[];
  name = $state("");
  task = $state.raw<TaskInfo | null>(null);
  preset = $state.raw<PresetName>("small");
  readonly data: DataChoice;
  readonly drawn = new DrawnClasses(pageStorage());
  /** What the run is to begin with; none where its weights are drawn from the seed. */
  weights = $state.raw<readonly File[]>([]);
  /** The same, by its name among `models`; null where it is none of them. */
  model = $state.raw<SavedModelName | null>(null);
  /** What TensorFlow.js keeps in this browser, as far as it was looked for. */
  models = $state.raw<readonly SavedModelName[]>([]);
  starting = $state(false);
  /** Why the start was refused. */
  failed = $state.raw<string | null>(null);
  /** What was drawn when it became data, and the hash of that. */
  #taken = $state.raw<{ readonly set: DrawnSet; readonly hash: string } | null>(null);
  readonly #values = new SvelteMap<Key, FormValue>();
  readonly #defaults: Settings;

  optimizerKind: OptimizerKind = $derived.by(() => {
    const kind = this.value("optimizer", OPTIMIZER);
    return isOptimizerKind(kind) ? kind : "adamw";
  });
  scheduleKind: ScheduleKind = $derived.by(() => {
    const kind = this.value("schedule", SCHEDULE);
    return isScheduleKind(kind) ? kind : "constant";
  });
  saveEvery = $derived(saveEveryField(String(this.value("policy", SAVE_KIND))));
  optimizerFields = $derived(optimizerFields(this.optimizerKind));
  scheduleFields = $derived(scheduleFields(this.scheduleKind));

  /** `defaults`: the policy that the person wants for new runs. */
  constructor(api: HoldfastPage, seed: number, defaults: Settings) {
    this.api = api;
    this.#defaults = defaults;
    this.data = new DataChoice(api);
    this.tasks = api.tasks();
    const first = this.tasks[0];
    if (first !== undefined) this.choose(first.id);
    this.#put("run", SEED, String(seed));
    this.set("policy", KEEP, defaults.keep);
    this.set("policy", DRAW, defaults.draw);
  }

  /** Another task: its own data, its own preset. */
  choose(task: string): void {
    this.task = this.tasks.find((info) => info.id === task) ?? null;
    this.data.drop();
    this.beginWith([]);
    // Each task's presets are right by themselves: nothing is read before something else is chosen.
    this.#fill(this.preset);
  }

  /** Data of the person's own; what was said of another table's columns says nothing of it. */
  async takeData(files: readonly DataFile[]): Promise<StoredData | null> {
    if (this.task === null) return null;
    this.#forgetColumns(this.task);
    return this.data.take(this.task.id, files, this.#config);
  }

  /** What is drawn becomes the data, as it is now. */
  async takeDrawings(): Promise<void> {
    const { set } = this.drawn;
    const stored = await this.takeData(drawingFiles(set));
    if (stored !== null) this.#taken = { set, hash: stored.hash };
  }

  /** Is all that is drawn what the run would train on? */
  get usesDrawings(): boolean {
    const { stored } = this.data;
    return stored !== null && stored.hash === this.#taken?.hash && this.drawn.set === this.#taken.set;
  }

  /** Was enough drawn now, and nothing else chosen? Then the start takes it. */
  get leavesDrawings(): boolean {
    return this.#wereDrawn && missingWords(this.drawn.set) === null;
  }

  /** Was something drawn now, and would a start not train on it because that is not enough? */
  get lacksDrawings(): boolean {
    return this.#wereDrawn && missingWords(this.drawn.set) !== null;
  }

  get #wereDrawn(): boolean {
    const { isChanged, total } = this.drawn;
    return this.task?.file?.canBeDrawn === true && this.data.stored === null && isChanged && total > 0;
  }

  /** The task's own data again. */
  dropData(): void {
    this.data.drop();
    if (this.task !== null) this.#forgetColumns(this.task);
    this.#readAgain();
  }

  #forgetColumns({ fields }: TaskInfo): void {
    for (const field of fields)
      if (COLUMN_SETTINGS.has(field.name)) this.#put("config", field, formValue(field.default));
  }

  /** The task's settings that say something of the data as it is chosen. */
  get #taskFields(): readonly Field[] {
    const fields = this.task?.fields ?? [];
    return this.data.stored === null ? fields : fields.filter(({ ofMadeUp }) => ofMadeUp !== true);
  }

  /** Those of them that stand beside data of the person's own. What is said of a table's columns does so by itself. */
  get dataFields(): readonly Field[] {
    return this.data.stored === null ? [] : this.#taskFields.filter(({ readsData }) => readsData === true);
  }

  /** The others, less what is said of a table's columns where they are there to be chosen. */
  get modelFields(): readonly Field[] {
    return this.#taskFields.filter((field) => !this.#isBesideData(field));
  }

  #isBesideData(field: Field): boolean {
    return (this.#hasColumns && COLUMN_SETTINGS.has(field.name)) || this.dataFields.includes(field);
  }

  get #config(): Config {
    return this.#all("config", this.#taskFields);
  }

  get #hasColumns(): boolean {
    return this.data.stored?.preview.columns !== undefined;
  }

  /** Fills the form from a preset; name, seed, data and what was said beside it stay. */
  usePreset(preset: PresetName): void {
    this.preset = preset;
    this.#fill(preset);
    this.#readAgain();
  }

  #fill(preset: PresetName): void {
    const task = this.task;
    if (task === null) return;
    const chosen = task.presets[preset];
    const { config, steps, learningRate, saveEvery } = chosen;
    for (const field of task.fields)
      if (!this.#isBesideData(field))
        this.#put("config", field, formValue(config[field.name] ?? field.default));
    this.set("run", STEPS, String(steps));
    this.set("schedule", EVERY, String(Math.max(1, Math.floor(steps / 3))));
    this.set("optimizer", LEARNING_RATE, String(learningRate));
    this.#values.set("optimizer/adamw/weightDecay", String(presetDecay("adamw", chosen)));
    this.set("schedule", SCHEDULE, chosen.schedule ?? "cosine");
    this.set("policy", SAVE_KIND, this.#defaults.saveKind);
    this.set("policy", EVALUATE, String(defaultPolicy(steps).evaluate ?? 0));
    this.set("policy", saveEveryField("steps"), String(saveEvery));
    // After it: what the person set goes before what the preset says of the same field.
    this.set("policy", this.saveEvery, String(this.#defaults.saveEvery));
  }

  value(group: string, field: Field): FormValue {
    return this.#values.get(this.#key(group, field)) ?? formValue(field.default);
  }

  set(group: string, field: Field, value: FormValue): void {
    this.#put(group, field, value);
    if (group === "config") this.#readAgain();
    else if (field === SEED) this.#checkMadeUp();
  }

  #put(group: string, field: Field, value: FormValue): void {
    // It was said of what stood there before.
    this.failed = null;
    this.#values.set(this.#key(group, field), value);
  }

  /** Settings that are wrong by themselves say so beside their fields. */
  get #areRight(): boolean {
    return this.#taskFields.every((field) => this.error("config", field) === null);
  }

  #readAgain(): void {
    if (this.task !== null && this.#areRight) this.data.setTo(this.task.id, this.#config);
    this.#checkMadeUp();
  }

  #checkMadeUp(): void {
    const seed = parseField(SEED, this.value("run", SEED));
    if (this.task !== null && seed.ok && this.#areRight)
      this.data.checkMadeUp(this.task.id, this.#config, Number(seed.value));
    else this.data.forgetMadeUp();
  }

  /** Why the data cannot be trained on as it is set, with the remedy; null where it can, as far as that was read. */
  get dataProblem(): string | null {
    return this.leavesDrawings ? null : this.data.problem;
  }

  /** Decay means two things (decoupled or L2), with two defaults, so each optimizer keeps its own. */
  #key(group: string, field: Field): Key {
    return field.name === "weightDecay"
      ? `${group}/${this.optimizerKind}/weightDecay`
      : `${group}/${field.name}`;
  }

  /** What is wrong with a field; null where nothing is. */
  error(group: string, field: Field): string | null {
    const parsed = parseField(field, this.value(group, field));
    return parsed.ok ? null : parsed.message;
  }

  /** Every field that counts as it is set now. */
  get fields(): readonly (readonly [group: string, field: Field])[] {
    const inGroup = (group: string, fields: readonly Field[]) =>
      fields.map((field) => [group, field] as const);
    return [
      ...inGroup("config", this.#taskFields),
      ...inGroup("run", [STEPS, SEED]),
      ...inGroup("optimizer", [OPTIMIZER, LEARNING_RATE, CLIP_NORM, ...this.optimizerFields]),
      ...inGroup("schedule", [SCHEDULE, ...this.scheduleFields]),
      ...inGroup("policy", [SAVE_KIND, this.saveEvery, KEEP, ...WATCH_FIELDS]),
    ];
  }

  get valid(): boolean {
    return this.task !== null && this.fault === null;
  }

  /** Why it cannot be started as it is filled in, the first thing that is wrong; null where nothing is. */
  get fault(): string | null {
    // Else the task would make its own data, and the person take the run for one on theirs.
    if (this.data.failed !== null)
      return "Your data cannot be used: choose another file, or the built-in data.";
    for (const [group, field] of this.fields) {
      const error = this.error(group, field);
      if (error !== null) return `“${field.label}” cannot be used. ${error}`;
    }
    if (this.dataProblem === null || this.data.stored === null) return this.dataProblem;
    return "Your data cannot be trained on as it is set.";
  }

  /** What the run is to begin with, in place of anything else; nothing: its weights are drawn. */
  beginWith(what: readonly File[] | SavedModelName): void {
    this.weights = typeof what === "string" ? [] : what;
    this.model = typeof what === "string" ? what : null;
  }

  async findModels(): Promise<void> {
    // What cannot be read cannot be offered; who names such a model is told why.
    this.models = await this.api.layersModels().catch(() => []);
  }

  /** The id of the new run; null where the start was refused. */
  async start(): Promise<string | null> {
    if (this.leavesDrawings) await this.takeDrawings();
    const options = this.#options();
    if (options === null) return null;
    this.starting = true;
    this.failed = null;
    try {
      return await this.api.start(options);
    } catch (error) {
      this.failed = messageOf(error);
      return null;
    } finally {
      this.starting = false;
    }
  }

  #options(): StartOptions | null {
    if (this.task === null || !this.valid) return null;
    const steps = this.#number("run", STEPS);
    const name = this.name.trim();
    return {
      task: this.task.id,
      preset: this.preset,
      seed: this.#number("run", SEED),
      steps,
      config: this.#config,
      optimizer: {
        ...this.#all("optimizer", this.optimizerFields),
        kind: this.optimizerKind,
        learningRate: this.#number("optimizer", LEARNING_RATE),
        clipNorm: this.#number("optimizer", CLIP_NORM),
        schedule: { ...this.#all("schedule", this.scheduleFields), kind: this.scheduleKind, horizon: steps },
      },
      policy: withWatch(
        {
          save: this.#saveRule(),
          draw: this.value("policy", DRAW) === true,
          keep: POLICIES[this.#keep].keep,
        },
        Object.fromEntries(WATCH_FIELDS.map((field) => [field.name, this.#number("policy", field)])),
      ),
      ...(name === "" ? {} : { name }),
      ...(this.data.stored === null ? {} : { data: this.data.stored }),
      ...(this.weights.length === 0 ? {} : { from: this.weights }),
      ...(this.model === null ? {} : { from: this.model }),
    };
  }

  #saveRule(): SaveRule {
    const every = this.#number("policy", this.saveEvery);
    const kind = this.value("policy", SAVE_KIND);
    if (kind === "auto") return { ...POLICIES[this.#keep].save, returnSeconds: every };
    return kind === "seconds" || kind === "epochs" ? { kind, every } : { kind: "steps", every };
  }

  get #keep(): PolicyName {
    const name = this.value("policy", KEEP);
    return name === "explore" || name === "lean" ? name : "steady";
  }

  #all(group: string, fields: readonly Field[]): Readonly<Record<string, FieldValue>> {
    const values: Record<string, FieldValue> = {};
    for (const field of fields) {
      const parsed = parseField(field, this.value(group, field));
      if (parsed.ok) values[field.name] = parsed.value;
    }
    return values;
  }

  /** Of a field that `valid` has checked. */
  #number(group: string, field: Field): number {
    return Number(this.value(group, field));
  }
}
