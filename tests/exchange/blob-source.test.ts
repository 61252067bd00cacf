/** A file is read to the same bytes, whatever its browser has for reading. */
import { expect, suite, test } from "vitest";
import { blobSource } from "../../src/exchange/blob-source";
import { importBundle } from "../../src/exchange/import";
import { CheckpointManager } from "../../src/checkpoint/manager";
import { concat, equalBytes } from "../../src/format/bytes";
import { exportRun } from "../support/bundles";
import { codeOf, sampleRequest, sampleRows } from "../support/run-samples";
import { SimulatedDisk } from "../support/simulated-disk";
import { begun, partsOn, RUN } from "../support/store-parts";

const MEBIBYTE = 1024 * 1024;

/** What a browser has for reading a file as a stream; what is asked of it is counted. */
abstract class StreamedBlob extends Blob {
  streams = 0;
  buffers = 0;

  override slice(start?: number, end?: number): Blob {
    const part = super.slice(start, end);
    const [stream, buffer] = [part.stream.bind(part), part.arrayBuffer.bind(part)];
    const again = part.slice.bind(part);
    return Object.assign(part, {
      stream: () => {
        this.streams += 1;
        return this.streamOf(stream());
      },
      slice: (from?: number, to?: number) => {
        const smaller = again(from, to);
        const bytes = smaller.arrayBuffer.bind(smaller);
        return Object.assign(smaller, { arrayBuffer: () => this.#counted(bytes) });
      },
      arrayBuffer: () => this.#counted(buffer),
    });
  }

  protected abstract streamOf(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  ): ReadableStream<Uint8Array<ArrayBuffer>>;

  #counted(bytes: () => Promise<ArrayBuffer>): Promise<ArrayBuffer> {
    this.buffers += 1;
    return bytes();
  }
}

class WithBytes extends StreamedBlob {
  override streamOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    return stream;
  }
}

/** As in Safari before 26.4: a stream of chunks, which has no reader that fills a buffer. */
class WithoutBytes extends StreamedBlob {
  override streamOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    return stream.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>>());
  }
}

class WithoutStreams extends StreamedBlob {
  override streamOf(): never {
    throw new TypeError("blob.stream is not a function");
  }
}

const KINDS = [WithBytes, WithoutBytes, WithoutStreams] as const;

async function piecesOf(blob: Blob, offset: number, length: number) {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of blobSource(blob).pieces(offset, length)) pieces.push(piece.slice());
  return pieces;
}

suite.each(KINDS.map((Kind) => [Kind.name, Kind] as const))("a file %s", (_name, Kind) => {
  test("gives its bytes in pieces of a mebibyte at most", async () => {
    const bytes = Uint8Array.from({ length: 2 * MEBIBYTE + 1234 }, (_, index) => (index * 31) % 251);
    const blob = new Kind([bytes]);
    for (const [offset, length] of [
      [0, bytes.length],
      [17, 2 * MEBIBYTE],
      [MEBIBYTE, 0],
    ] as const) {
      const pieces = await piecesOf(blob, offset, length);
      expect(equalBytes(concat(pieces), bytes.subarray(offset, offset + length))).toBe(true);
      expect(Math.max(0, ...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(MEBIBYTE);
    }
    expect(blob.streams).toBe(3);
    // One buffer for all where there is that reader, and a slice for each mebibyte where there is not.
    expect(blob.buffers).toBe(Kind === WithBytes ? 0 : 5);
  });

  test("is taken in as a bundle", async () => {
    const { manager, parts, lease } = await begun();
    await manager.save(lease, sampleRequest(2, sampleRows(1, 2)));
    const file = new Kind([await exportRun(manager, parts, RUN)]);
    const other = partsOn(new SimulatedDisk());
    expect(await importBundle(new CheckpointManager(other), other, file)).toMatchObject([{ how: "new" }]);
    expect(file.streams).toBeGreaterThan(5);
  });
});

test("a file that is taken away is named in slices too", async () => {
  const gone = new WithoutStreams([new Uint8Array(100)]);
  const slice = gone.slice.bind(gone);
  gone.slice = (from?: number, to?: number) =>
    Object.assign(slice(from, to), {
      slice: () => {
        throw new DOMException("gone", "NotReadableError");
      },
    });
  expect(await codeOf(piecesOf(gone, 0, 100))).toBe("missing");
});
