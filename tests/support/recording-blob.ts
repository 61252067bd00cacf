/** A file that counts the readers of it that were opened, and those that were not let go of yet. */
export class RecordingBlob extends Blob {
  opened = 0;
  open = 0;

  override slice(start?: number, end?: number): Blob {
    const part = super.slice(start, end);
    const stream = part.stream.bind(part);
    part.stream = () => this.#counted(stream());
    return part;
  }

  #counted(stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
    const getReader = stream.getReader.bind(stream) as (options: {
      mode: "byob";
    }) => ReadableStreamBYOBReader;
    const opened = (options: { mode: "byob" }) => {
      const reader = getReader(options);
      this.opened += 1;
      this.open += 1;
      const cancel = reader.cancel.bind(reader);
      reader.cancel = (reason?: unknown) => {
        this.open -= 1;
        return cancel(reason);
      };
      return reader;
    };
    return Object.assign(stream, { getReader: opened });
  }
}
