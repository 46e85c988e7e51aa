// The interface of a transport: the layer between a socket's bytes and the frames of a dialect.

export interface ReadFrame {
  readonly text: string;
  /** The frame's end, counted in bytes since the first one read. */
  readonly end: number;
}

export interface ReaderOptions {
  readonly binary?: boolean;
  /** Whether the text ends with a complete record. Otherwise it is joined with the next frame. */
  isWhole?(frame: string): boolean;
}

/** Reads a server's bytes as frames. Throws on anything that no server of this bench sends. */
export interface Reader {
  readonly atBoundary: boolean;
  /** The chunk may be reused after the call. */
  read(chunk: Buffer, onFrame: (frame: ReadFrame) => void): void;
}

/** The destination of a wire. */
export interface Target {
  readonly host: string;
  readonly path: string;
}

export type Take = (bytes: Buffer) => void;

export interface Transport {
  /**
   * The request that opens the stream, and how its response begins if it succeeds. Absent: the socket is open at once.
   */
  readonly opening?: { request(target: Target): string; readonly answer: string };
  /** The bytes of one frame. */
  frame(text: string, target: Target, binary?: boolean): Buffer;
  /** A reader whose first byte is at `consumed` of all bytes. */
  reader(options: ReaderOptions, consumed?: number): Reader;
  /** Removes HTTP's encoding around the bytes of frames. Absent: there is none. */
  unwrapping?(): (chunk: Buffer, take: Take) => void;
}
