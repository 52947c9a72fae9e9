/** The thread of the program: runs the command line, and reaches the streams and signals of the process through the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "../math/error.ts";
import type { Io, OutputStream } from "./io.ts";
import { run } from "./main.ts";
import type { FromThread, StreamName, ThreadData, ToThread } from "./thread-messages.ts";

invariant(parentPort !== null, "the program's thread without the main thread");
const port = parentPort;
const data = workerData as ThreadData;
const tell = (message: FromThread): void => port.postMessage(message);

const columns: Partial<Record<StreamName, number | undefined>> = {
  stdout: data.streams.stdout.columns,
  stderr: data.streams.stderr.columns,
};
const waiting = new Map<number, (error?: Error | null) => void>();
let writes = 0;
let interrupt: (() => void) | undefined;

function streamOf(stream: StreamName): OutputStream {
  return {
    isTTY: data.streams[stream].isTTY,
    get columns() {
      return columns[stream];
    },
    write: (write, done) => {
      const id = done && writes++;
      if (id !== undefined && done) waiting.set(id, done);
      tell({ write, stream, id });
      return true;
    },
  };
}

port.on("message", (message: ToThread) => {
  if ("written" in message) {
    const { written, error } = message;
    waiting.get(written)?.(error && Object.assign(new Error(error.message), { code: error.code }));
    waiting.delete(written);
  } else if ("columns" in message) Object.assign(columns, message.columns);
  else interrupt?.();
});

const io: Io = {
  stdout: streamOf("stdout"),
  stderr: streamOf("stderr"),
  env: process.env,
  onStop: ({ says, save }) => {
    interrupt = save;
    tell({ stop: { says, saves: save !== undefined } });
    return () => {
      interrupt = undefined;
      tell({ stop: undefined });
    };
  },
};

const code = await run(data.argv, io);
tell({ ended: code });
port.close();
