// What lies between a socket and the frames of a dialect.

export interface ReadFrame {
  readonly text: string;
  /** Where the frame ends in all that was read. */
  readonly end: number;
}

export interface ReaderOptions {
  readonly binary?: boolean;
  /** Whether what has come is to be read as it is, or together with what comes next. */
  isWhole?(frame: string): boolean;
}

/** A server's bytes as frames; throws on anything a server of this bench does not send. */
export interface Reader {
  readonly atBoundary: boolean;
  /** The chunk may be overwritten afterwards. */
  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void;
}

/** Where a wire leads. */
export interface Target {
  readonly host: string;
  readonly path: string;
}

export type Take = (bytes: Buffer) => void;

export interface Transport {
  /** What a socket says first, and how the answer begins if it is open then. Absent: it is open at once. */
  readonly opening?: { request(target: Target): string; readonly answer: string };
  /** What the client says, as bytes. */
  frame(text: string, target: Target, binary?: boolean): Buffer;
  /** `consumed`: where in all bytes it begins. */
  reader(options: ReaderOptions, consumed?: number): Reader;
  /** Takes off what HTTP puts around the bytes of frames. Absent: there is nothing around them. */
  unwrapping?(): (chunk: Buffer, take: Take) => void;
}
