// One session over one k6 WebSocket: hands events and ticks to the session, and its messages to the socket. Knows
// sockets and stamps; every decision is the session's.

import {
  WebSocket,
  type CloseEvent,
  type StampedWebSocket,
  type StampedWebSocketConstructor,
} from "k6/websockets";
import type { Alarm, Alarms } from "../alarms.ts";
import { RealtimeSession, type SessionPlan, type SessionPort } from "../realtime-session.ts";
import { roundMs, type RealtimeRecord } from "../record.ts";
import type { AudioSource } from "./audio-source.ts";
import type { RunClock } from "./clock.ts";
import { connectFailure } from "./handshake.ts";

const StampedSocket = WebSocket as unknown as StampedWebSocketConstructor;

/** WebSocket ready states that matter here; k6 2.2 has no constants for them. */
const OPEN = 1;
const NORMAL_CLOSURE = 1000;
/** k6's stand-in for a connection that ended without a close frame (RFC 6455 §7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** What a connection needs beside the session's plan. */
export interface ConnectionSetup {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly clock: RunClock;
  readonly alarms: Alarms;
  readonly audio: AudioSource;
  /** Clip of each utterance of the plan. */
  readonly clips: readonly number[];
  /** Called once, when the outcome is decided; the socket may still be closing. */
  readonly onEnded: (record: RealtimeRecord) => void;
}

/**
 * Runs a session to its end.
 *
 * @returns When the socket is closed. A peer that never answers the close frame keeps the promise open (k6 cannot drop
 *   a socket); the outcome was handed over long before.
 */
export function runRealtimeConnection(plan: SessionPlan, setup: ConnectionSetup): Promise<void> {
  const { clock, audio } = setup;
  const socket = new StampedSocket(setup.url, null, {
    headers: setup.headers,
    tags: { name: "realtime" },
  });
  socket.binaryType = "arraybuffer";
  const alarm = setup.alarms.create((nowMs) => session.tick(nowMs));
  const session: RealtimeSession = new RealtimeSession(plan, sessionPort(socket, alarm, setup));
  audio.onLoaded = () => session.tick(clock.now());
  socket.onopen = (event) => {
    session.opened(clock.learn(event.timestamp, clock.now()));
    // Too late: the watchdog ran out while the handshake was on its way.
    if (session.isEnded()) socket.close(NORMAL_CLOSURE);
  };
  socket.onmessage = (event) => {
    // Each property of the event is a call into Go: read once.
    const { timestamp, data } = event;
    const handledMs = clock.now();
    const arrivalMs = clock.learn(timestamp, handledMs);
    if (typeof data === "string") session.message(data, arrivalMs, handledMs);
    else session.binary();
  };
  let failure = "";
  socket.onerror = (event) => {
    failure = event.error;
  };
  return new Promise((resolve) => {
    socket.onclose = (event) => {
      alarm.stop();
      if (session.isEnded()) resolve();
      else void endByClose(session, event, failure, setup).then(resolve);
    };
  });
}

/** What the session does to the socket, the clock and the audio. */
function sessionPort(socket: StampedWebSocket, alarm: Alarm, setup: ConnectionSetup): SessionPort {
  const { clock, audio } = setup;
  const { send } = socket;
  return {
    now: clock.now,
    send(text) {
      try {
        send(text);
      } catch {
        // The socket is closing: its close event ends the session. Asking for its state first costs more.
      }
    },
    wakeAt: alarm.at,
    frame: audio.frame,
    load: (index) => audio.load(setup.clips[index] ?? 0),
    ended(record) {
      alarm.stop();
      // Closing before the handshake is answered would hang the virtual user before k6 2.3.
      if (socket.readyState === OPEN) socket.close(NORMAL_CLOSURE);
      record.epoch_ms = roundMs(clock.epochMs());
      setup.onEnded(record);
    },
  };
}

/** The connection ended before the session did: it was never opened, or the server or the network broke it. */
async function endByClose(
  session: RealtimeSession,
  event: CloseEvent,
  failure: string,
  setup: ConnectionSetup,
): Promise<void> {
  if (session.record.opened_ms !== undefined) {
    const code = event.code === NO_CLOSE_FRAME ? undefined : event.code;
    session.closed(code, event.reason === "" ? failure : event.reason);
    return;
  }
  const { kind, code, message } = await connectFailure(failure, setup.url, setup.headers);
  session.fail(kind, code, message);
}
