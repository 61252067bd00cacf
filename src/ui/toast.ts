/** A line that comes up below and goes by itself, with at most one thing to do. */
export interface Toast {
  readonly id: number;
  readonly message: string;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}
