// One session over one k6 WebSocket: hands events and ticks to the session, and its messages to the socket. Knows
// sockets and stamps; every decision is the session's.

import { WebSocket, type StampedWebSocketConstructor } from "k6/websockets";
import type { SessionRecord } from "../record.ts";
import { RealtimeSession, type SessionPlan } from "../realtime-session.ts";
import type { AudioSource } from "./audio-source.ts";
import type { RunClock } from "./clock.ts";
import { connectFailure } from "./handshake.ts";
import { createWakeUp } from "./wake-up.ts";

const StampedSocket = WebSocket as unknown as StampedWebSocketConstructor;

/** WebSocket ready states that matter here; k6 2.2 has no constants for them. */
const OPEN = 1;
/** k6's stand-in for a connection that ended without a close frame (RFC 6455 §7.4.1). */
const NO_CLOSE_FRAME = 1006;

/** What a connection needs beside the session's plan. */
export interface ConnectionSetup {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly clock: RunClock;
  readonly audio: AudioSource;
  /** Clip of each utterance of the plan. */
  readonly clips: readonly number[];
  /** Called once, when the outcome is decided; the socket may still be closing. */
  readonly onEnded: (record: SessionRecord) => void;
}

/**
 * Runs a session to its end.
 *
 * @returns When the socket is closed. A peer that never answers the close frame keeps the promise open (k6 cannot drop
 *   a socket); the outcome was handed over long before.
 */
export function runRealtimeConnection(plan: SessionPlan, setup: ConnectionSetup): Promise<void> {
  return new Promise((resolve) => {
    const { clock, audio } = setup;
    const wakeUp = createWakeUp(clock, (nowMs) => session.tick(nowMs));
    const socket = new StampedSocket(setup.url, null, {
      headers: setup.headers,
      tags: { name: "realtime" },
    });
    socket.binaryType = "arraybuffer";
    const session = new RealtimeSession(plan, {
      now: clock.now,
      send: (text) => {
        try {
          socket.send(text);
        } catch {
          // The socket is closing: its close event ends the session. Asking for its state first costs more.
        }
      },
      wakeAt: wakeUp.at,
      hasFrame: audio.hasFrame,
      frame: audio.frame,
      load: (index) => audio.load(setup.clips[index] ?? 0),
      ended: (record) => {
        wakeUp.stop();
        // Closing before the handshake is answered would hang the virtual user before k6 2.3.
        if (socket.readyState === OPEN) socket.close(1000);
        record.epoch_ms = Math.round(clock.epochMs() * 1000) / 1000;
        setup.onEnded(record);
      },
    });
    audio.onLoaded = () => session.tick(clock.now());

    let failure = "";
    socket.onopen = (event) => {
      session.opened(clock.learn(event.timestamp, clock.now()));
      // Too late: the watchdog ran out while the handshake was on its way.
      if (session.isEnded()) socket.close(1000);
    };
    socket.onmessage = (event) => {
      // Each property of the event is a call into Go: read once.
      const { timestamp, data } = event;
      const handledMs = clock.now();
      const arrivalMs = clock.learn(timestamp, handledMs);
      if (typeof data === "string") session.message(data, arrivalMs, handledMs);
      else session.binary();
    };
    socket.onerror = (event) => {
      failure = event.error;
    };
    socket.onclose = (event) => {
      if (!session.isEnded()) {
        if (session.record.opened_ms === undefined) {
          const { kind, code, message } = connectFailure(failure, setup.url, setup.headers);
          session.fail(kind, code, message);
        } else
          session.closed(
            event.code === NO_CLOSE_FRAME ? undefined : event.code,
            event.reason || failure,
          );
      }
      wakeUp.stop();
      resolve();
    };
  });
}
