/** The ten ways to break a store like this one, each planted into its source: the drill must find every one. */
import type { Edit } from "./threads";

export interface Control {
  readonly name: string;
  readonly edits: readonly Edit[];
}

const DURABLE = "src/checkpoint/durable.ts";
const COMMIT = "src/store/commit.ts";
const FRAME = "src/format/frame.ts";

export const CONTROLS: readonly Control[] = [
  {
    name: "no flush",
    edits: [{ file: DURABLE, from: "if (one.dirty) await one.pack.flush();", to: "" }],
  },
  {
    name: "commit before flush",
    edits: [
      { file: DURABLE, from: "      await flush(touched);\n", to: "" },
      {
        file: DURABLE,
        from: "      return await commit(",
        to: "      const late = async (done) => (await flush(touched), done);\n      return await late(await commit(",
      },
      {
        file: DURABLE,
        from: "touched.map(({ pack: { name, size }, created }) => ({ name, size, created })),\n      );",
        to: "touched.map(({ pack: { name, size }, created }) => ({ name, size, created })),\n      ));",
      },
    ],
  },
  {
    name: "relaxed commit",
    edits: [
      { file: "src/checkpoint/save.ts", from: 'catalog.write("strict"', to: 'catalog.write("relaxed"' },
      { file: "src/checkpoint/log.ts", from: '.write("strict"', to: '.write("relaxed"' },
      { file: "src/checkpoint/trash.ts", from: '.write("strict"', to: '.write("relaxed"' },
    ],
  },
  {
    name: "no frame hash",
    edits: [
      { file: FRAME, from: "if (!equalBytes(await sha256(raw), header.hash))", to: "if (raw.length < 0)" },
      {
        file: FRAME,
        from: "if (trailer.u32() !== crc32c(bytes.subarray(start, end)))",
        to: "if (trailer.u32() < 0)",
      },
    ],
  },
  {
    name: "delete before un-reference",
    edits: [
      {
        file: "src/checkpoint/trash.ts",
        from: "    const freed = await this.#catalog.write(",
        to: `    for (const { name, run } of await this.#catalog.read((tx) => tx.all("packs")))
      if (run !== null && (await this.#catalog.read((tx) => tx.get("runs", run)))?.removed !== null)
        await this.#packs.recycle(name, () => Promise.resolve(true));
    const freed = await this.#catalog.write(`,
      },
      {
        file: "src/checkpoint/save.ts",
        from: "        const gone = await catalog.write(",
        to: `        const runNow = await catalog.read((tx) => tx.get("runs", lease.run));
        const before = await catalog.read((tx) => tx.of("checkpoints", lease.run));
        const surplus = runNow === undefined ? [] : keep(before, runNow);
        const kept = before.filter((one) => !surplus.includes(one)).slice(0, 1).concat(before.slice(-1)).flatMap((one) => one.packs);
        for (const one of before.slice(1, -2))
          for (const name of one.packs) if (!kept.includes(name)) await this.#parts.packs.recycle(name, () => Promise.resolve(true));
        const gone = await catalog.write(`,
      },
    ],
  },
  {
    name: "no fencing",
    edits: [{ file: "src/store/owner.ts", from: "if (owner?.epoch === lease.epoch) return;", to: "return;" }],
  },
  {
    name: "length field trusted",
    edits: [
      {
        file: FRAME,
        from: "if (reader.u32() !== crc32c(bytes.subarray(offset, offset + CRC_AT)))",
        to: "if (reader.u32() < 0)",
      },
      {
        file: FRAME,
        from: 'if (trailerAt + FRAME_TRAILER_BYTES > bytes.length) return "it is cut off";',
        to: "return undefined;",
      },
      { file: FRAME, from: "if (!equalBytes(await sha256(raw), header.hash))", to: "if (raw.length < 0)" },
    ],
  },
  {
    name: "no look-up by name",
    edits: [
      { file: DURABLE, from: "for (const { pack } of touched) await checkName(this.#packs, pack);", to: "" },
    ],
  },
  {
    name: "keyframe that references outside",
    edits: [
      {
        file: "src/checkpoint/save.ts",
        from: "open.last === null || isKeyframe() ? null",
        to: "open.last === null ? null",
      },
    ],
  },
  {
    name: "journal behind its checkpoint",
    edits: [
      {
        file: COMMIT,
        from: "const run = rows === null ? found : await appendRows(tx, found, rows);",
        to: "const run = found;",
      },
      { file: COMMIT, from: "if (row.step > run.step) {", to: "if (row.step < 0) {" },
    ],
  },
];
