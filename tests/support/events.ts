import { entryOf, type LogEntry, type LoggedEvent } from "../../command/log.ts";

/** The events that the log has a line for: not what every connection does. */
export function newsOf<Event extends LoggedEvent>(
  events: readonly Event[],
): Event[] {
  return events.filter((event) => entryOf(event) !== undefined);
}

/** Events without their ids, which are others each time. */
export function withoutIds(
  events: readonly LoggedEvent[],
): Record<string, unknown>[] {
  return events.map((event) => {
    const { id: _, ...rest } = { id: "", ...event };
    return rest;
  });
}

/** What the log says about an event that it has a line for. */
export function entryFor(event: LoggedEvent): LogEntry {
  const entry = entryOf(event);
  if (entry === undefined) throw new Error(`no line for ${event.kind}`);
  return entry;
}
