// One virtual user of the probe scenario: a request for one token and one for many, both buffered, for every k6 there is.
// Knows k6/http; what the two times mean is for the readings to say.

import http, { type RefinedResponse } from "k6/http";
import type { Prompt } from "../prompts.ts";
import { decodeChatBody } from "../protocols/chat-completions.ts";
import { decodeCompletionBody } from "../protocols/completions.ts";
import { RECORD_SCHEMA, roundMs, type ProbeRecord } from "../record.ts";
import { concludeProbe, type ProbeAnswer } from "../probe-session.ts";
import { probeReadings } from "../text-readings.ts";
import type { RunClock } from "./clock.ts";
import type { Measurements } from "./measurements.ts";
import type { SharedRun } from "./once.ts";
import type { TextPlan } from "./prepare-text.ts";
import { createRecordLog } from "./record-log.ts";
import { createSessionSchedule, type SessionEnding, type SessionSlot } from "./session-schedule.ts";
import { createTextRequests, type AskedText } from "./text-requests.ts";

/** A virtual user. */
export interface ProbeUser {
  /** Runs an iteration: its sessions, from the wait for their start to their records. */
  runIteration(model: string): Promise<void>;
}

/** Makes a virtual user. */
export function createProbeUser(
  run: SharedRun<TextPlan, Prompt>,
  measurements: Measurements,
): ProbeUser {
  const { plan, items: prompts } = run;
  const decodeBody = plan.endpoint === "chat" ? decodeChatBody : decodeCompletionBody;
  const one = createTextRequests({ ...plan, maxTokens: 1 }, prompts);
  const many = createTextRequests(plan, prompts);
  const schedule = createSessionSchedule(plan);
  const log = createRecordLog(plan);

  const runSession = async (slot: SessionSlot, model: string): Promise<SessionEnding> => {
    const { clock, number } = slot;
    const requests = [one.of(number, model), many.of(number, model)] as const;
    const record = blankRecord(plan, slot, requests[0]);
    await slot.begin();
    record.epoch_ms = roundMs(clock.epochMs());
    record.start_ms = roundMs(clock.now());
    measurements.started();
    log.started(record);
    const first = await ask(plan, requests[0], clock);
    const second = first.status === 200 ? await ask(plan, requests[1], clock) : undefined;
    record.end_ms = roundMs(clock.now());
    concludeProbe(record, first, second, decodeBody);
    measurements.ended(record);
    log.ended(record, () => probeReadings(record));
    measurements.addFew(probeReadings(record));
    return record.outcome;
  };
  return { runIteration: (model) => schedule.run((slot) => runSession(slot, model)) };
}

async function ask(plan: TextPlan, { body }: AskedText, clock: RunClock): Promise<ProbeAnswer> {
  const startMs = clock.now();
  const response: RefinedResponse<"text"> = await http.asyncRequest("POST", plan.url, body, {
    headers: { "Content-Type": "application/json", ...plan.headers },
    timeout: `${plan.timeouts.totalMs}ms`,
    responseType: "text",
    responseCallback: http.expectedStatuses({ min: 100, max: 599 }),
    tags: { name: plan.dialect },
  });
  return {
    status: response.status,
    contentType: response.headers["Content-Type"] ?? "",
    body: response.body ?? "",
    error: response.error,
    errorCode: response.error_code,
    wholeMs: clock.now() - startMs,
  };
}

/** The record of a session that has not started. */
function blankRecord(plan: TextPlan, slot: SessionSlot, { prompt }: AskedText): ProbeRecord {
  return {
    record: RECORD_SCHEMA,
    type: "probe",
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
    prompt,
  };
}
