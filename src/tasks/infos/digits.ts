import type { TaskInfo } from "../task-info";
import { BATCH_SIZE, DROPOUT } from "./shared";

const MIB = 2 ** 20;
/** No file is split so that one part is empty. */
export const LEAST_IMAGES = 10;
/** Pixels along each side that image files are scaled to. Larger ones cost a small network more than they tell it. */
export const IMAGE_SIDE = 32;

/** Images by class: digits that it draws by itself, or a person's own. */
export const DIGITS: TaskInfo = {
  id: "digits",
  title: "Digits and images",
  summary:
    "A convolutional network learns to tell drawn digits apart, or images of your own, sorted by class.",
  mathVersion: 1,
  file: {
    label: "Images in a folder for each class, or MNIST's IDX files; also zipped (up to 128 MiB in all)",
    without: "Without any, the task draws digits by itself.",
    accept: ".png,.jpg,.jpeg,.webp,.gif,.bmp,.zip,.gz,.idx,.idx1-ubyte,.idx3-ubyte,image/*",
    maxBytes: 128 * MIB,
    several: true,
    canBeDrawn: true,
  },
  asks: "image",
  fields: [
    {
      name: "filters",
      label: "Filters",
      help: "Of the first layer; the second has twice as many.",
      kind: "integer",
      default: 8,
      min: 1,
      max: 64,
    },
    { name: "hidden", label: "Hidden neurons", kind: "integer", default: 64, min: 2, max: 1024 },
    { ...DROPOUT, default: 0.1 },
    {
      name: "shift",
      label: "Shift at random",
      help: "Each image is moved by so much at most, anew each time, so that the place counts less.",
      kind: "integer",
      default: 1,
      min: 0,
      max: 8,
      unit: "pixels",
    },
    { ...BATCH_SIZE, default: 32 },
    {
      name: "heldOut",
      label: "Held out",
      kind: "integer",
      default: 20,
      min: 1,
      max: 90,
      unit: "% of the images",
    },
    {
      name: "split",
      label: "Which are held out",
      kind: "choice",
      default: "drawn",
      options: [
        { value: "drawn", label: "drawn at random, always the same" },
        { value: "last", label: "the last ones" },
      ],
    },
    {
      name: "count",
      label: "Digits drawn",
      ofMadeUp: true,
      kind: "integer",
      default: 4000,
      min: 50,
      max: 50000,
    },
  ],
  presets: {
    tiny: {
      config: { filters: 4, hidden: 24, batchSize: 16, count: 600 },
      steps: 300,
      learningRate: 0.005,
      saveEvery: 50,
    },
    small: { config: {}, steps: 1500, learningRate: 0.002, saveEvery: 100 },
    medium: {
      config: { filters: 32, hidden: 256, batchSize: 128, count: 20000, shift: 2 },
      steps: 6000,
      learningRate: 0.001,
      saveEvery: 250,
    },
  },
};
