// What the socket's thread and a recognising thread say to each other. Knows no audio format beyond PCM16.

/** What a worker is started with. */
export interface WorkerSetup {
  /** Folder of the acoustic model, with a slash at its end. */
  readonly modelBase: string;
  readonly dictionaryFile: string;
  readonly grammarFile: string;
  /** Decoders to load before the worker is ready. */
  readonly prewarm: number;
}

/** To a worker. Messages of one session keep their order. */
export type WorkerRequest =
  | { readonly kind: "start"; readonly session: number; readonly generation: number }
  /** Mono PCM16, little-endian, 16 kHz; whole samples. */
  | { readonly kind: "audio"; readonly session: number; readonly pcm: Uint8Array<ArrayBuffer> }
  | { readonly kind: "finish"; readonly session: number }
  /** The session is gone: its decoder is free. */
  | { readonly kind: "close"; readonly session: number };

/** From a worker. */
export type WorkerReply =
  | { readonly kind: "ready" }
  | {
      readonly kind: "text";
      readonly session: number;
      readonly generation: number;
      /** One element per delta, in order. */
      readonly deltas: readonly string[];
      /** Bytes of this generation's audio that were heard so far. */
      readonly heardBytes: number;
    }
  | {
      readonly kind: "done";
      readonly session: number;
      readonly generation: number;
      readonly text: string;
      /** The text does not begin with the deltas that were sent. */
      readonly isMismatch: boolean;
    }
  | {
      readonly kind: "failed";
      readonly session: number;
      readonly generation: number;
      readonly message: string;
    };
