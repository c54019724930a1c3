// One virtual user of the chat scenario: chooses what each session asks, waits for its intended start, runs it and hands its
// record on. Decides nothing about a reply.

import type { Prompt } from "../prompts.ts";
import { chatCompletions, decodeChatBody } from "../protocols/chat-completions.ts";
import { completions, decodeCompletionBody } from "../protocols/completions.ts";
import { RECORD_SCHEMA, roundMs, type TextRecord } from "../record.ts";
import { textReadings } from "../text-readings.ts";
import { concludeText } from "../text-session.ts";
import type { Measurements } from "./measurements.ts";
import type { SharedRun } from "./once.ts";
import type { TextPlan } from "./prepare-text.ts";
import { createRecordLog } from "./record-log.ts";
import { createSessionSchedule, type SessionEnding, type SessionSlot } from "./session-schedule.ts";
import { createTextRequests, type AskedText } from "./text-requests.ts";
import { createExchanges, finishExchange } from "./text-exchange.ts";

/** A virtual user. */
export interface ChatUser {
  /** Runs an iteration: its sessions, from the wait for their start to their records. */
  runIteration(model: string): Promise<void>;
}

/** Makes a virtual user. */
export function createChatUser(
  run: SharedRun<TextPlan, Prompt>,
  measurements: Measurements,
): ChatUser {
  const { plan, items: prompts } = run;
  const endpoint = plan.endpoint === "chat" ? chatCompletions : completions;
  const decodeBody = plan.endpoint === "chat" ? decodeChatBody : decodeCompletionBody;
  const requests = createTextRequests(plan, prompts);
  const startExchange = createExchanges(plan);
  const schedule = createSessionSchedule(plan);
  const log = createRecordLog(plan);

  const runSession = async (slot: SessionSlot, model: string): Promise<SessionEnding> => {
    const asked = requests.of(slot.number, model);
    const record = blankRecord(plan, slot, asked);
    const { clock } = slot;
    await slot.begin();
    record.start_ms = roundMs(clock.now());
    const exchange = startExchange(asked.body);
    const startedMs = clock.now();
    record.epoch_ms = roundMs(clock.epochMs());
    measurements.started();
    log.started(record);

    const { reply, frames, decoded, abortedBy } = await finishExchange(exchange, plan, endpoint);
    // k6 has cut it, and its script runs on for a moment: a session without an end, and no failure of the server.
    if (reply.outcome === "interrupted") return "interrupted";
    // The request was stamped before the clock was read: what is seen is never later than the truth.
    clock.learn(reply.startMs, startedMs);
    const epochMs = clock.epochMs();
    record.epoch_ms = roundMs(epochMs);
    record.start_ms = roundMs(reply.startMs - epochMs);
    concludeText(record, { exchange: reply, frames, decoded, abortedBy, decodeBody }, epochMs);
    measurements.ended(record);
    log.ended(record, () => textReadings(record));
    measurements.addFew(textReadings(record, "live"));
    return record.outcome;
  };
  return { runIteration: (model) => schedule.run((slot) => runSession(slot, model)) };
}

/** The record of a session that has not started. */
function blankRecord(
  plan: TextPlan,
  slot: SessionSlot,
  { prompt, choices }: AskedText,
): TextRecord {
  return {
    record: RECORD_SCHEMA,
    type: "text",
    event: "end",
    session: String(slot.number),
    scenario: plan.scenario,
    dialect: plan.dialect,
    asset_set: plan.assetSet,
    vu: slot.vu,
    epoch_ms: 0,
    intended_ms: roundMs(slot.intendedMs),
    start_ms: 0,
    end_ms: 0,
    outcome: "finished",
    stream: plan.stream,
    prompt,
    phases: {},
    bytes: 0,
    events: 0,
    choices,
  };
}
