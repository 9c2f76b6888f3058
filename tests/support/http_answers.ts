/**
 * What an endpoint may answer and what it means: DESIGN.md section 4, row by
 * row. The same table goes through an injected `fetch` and a real server.
 *
 * @module
 */

import type { ProviderReason } from "../../auth/reasons.ts";
import type { AuthDecision } from "../../auth/types.ts";

/** The most octets of an answer that count. */
export const ANSWER_LIMIT = 65_536;

/** `{"ok":true}` with spaces behind it, so long. JSON allows them. */
export function longYes(octets: number): string {
  return '{"ok":true}'.padEnd(octets, " ");
}

const YES = '{"ok":true}';
const NO = '{"ok":false}';

/** Status and body of an answer, the decision that it means, and the reason. */
export type AnswerRow = readonly [
  status: number,
  body: string | null,
  decision: AuthDecision,
  reason: ProviderReason,
];

/** Every kind of answer that arrives whole and in time. */
export const ANSWERS: readonly AnswerRow[] = [
  [200, YES, "authOk", "ok"],
  [200, NO, "authInvalid", "wrong-credentials"],
  [200, ' {\r\n\t"ok" : true\n}\n', "authOk", "ok"],

  // Other members are ignored, whatever they say.
  [
    200,
    '{"ok":true,"error":"no","status":403,"name":{"ok":false}}',
    "authOk",
    "ok",
  ],
  [
    200,
    '{"user":[1,null,{}],"ok":false,"authOk":true}',
    "authInvalid",
    "wrong-credentials",
  ],
  [200, '{"\\u006fk":true}', "authOk", "ok"],
  [200, longYes(ANSWER_LIMIT), "authOk", "ok"],

  // Those that are read (more in http_rights_test.ts): a yes without its limits
  // is none, a no is one whatever else it says.
  [200, '{"ok":true,"user":"ann","senders":[]}', "authOk", "ok"],
  [200, '{"ok":true,"user":null}', "authFailure", "backend-answer"],
  [200, '{"ok":false,"text":1}', "authInvalid", "wrong-credentials"],

  // Everything else with a 200 is a broken endpoint, not a wrong password.
  [200, "", "authFailure", "backend-answer"],
  [200, null, "authFailure", "backend-answer"],
  [200, "<!doctype html><title>ok</title>", "authFailure", "backend-answer"],
  [200, "ok", "authFailure", "backend-answer"],
  [200, "ok=true", "authFailure", "backend-answer"],
  [200, "{", "authFailure", "backend-answer"],
  [200, '{"ok":true', "authFailure", "backend-answer"],
  [200, '{"ok":true}{"ok":true}', "authFailure", "backend-answer"],
  [200, "{'ok':true}", "authFailure", "backend-answer"],
  [200, '{"ok":True}', "authFailure", "backend-answer"],
  [200, '{"ok":true,}', "authFailure", "backend-answer"],
  [200, "[]", "authFailure", "backend-answer"],
  [200, "[true]", "authFailure", "backend-answer"],
  [200, '[{"ok":true}]', "authFailure", "backend-answer"],
  [200, "null", "authFailure", "backend-answer"],
  [200, "1", "authFailure", "backend-answer"],
  [200, "true", "authFailure", "backend-answer"],
  [200, "false", "authFailure", "backend-answer"],
  [200, '"ok"', "authFailure", "backend-answer"],
  [200, "{}", "authFailure", "backend-answer"],
  [200, '{"OK":true}', "authFailure", "backend-answer"],
  [200, '{"ok":"true"}', "authFailure", "backend-answer"],
  [200, '{"ok":"false"}', "authFailure", "backend-answer"],
  [200, '{"ok":1}', "authFailure", "backend-answer"],
  [200, '{"ok":0}', "authFailure", "backend-answer"],
  [200, '{"ok":null}', "authFailure", "backend-answer"],
  [200, '{"ok":[true]}', "authFailure", "backend-answer"],
  [200, '{"ok":{"ok":true}}', "authFailure", "backend-answer"],
  [200, '{"__proto__":{"ok":true}}', "authFailure", "backend-answer"],
  [200, '{"result":{"ok":true}}', "authFailure", "backend-answer"],

  // 401 and 403 need no body.
  [401, null, "authInvalid", "wrong-credentials"],
  [401, YES, "authInvalid", "wrong-credentials"],
  [401, "<h1>Unauthorized</h1>", "authInvalid", "wrong-credentials"],
  [403, null, "authInvalid", "wrong-credentials"],
  [403, YES, "authInvalid", "wrong-credentials"],
  [401, longYes(ANSWER_LIMIT), "authInvalid", "wrong-credentials"],

  // Every other status, 2xx included, and whatever the body says.
  [201, YES, "authFailure", "backend-status"],
  [201, NO, "authFailure", "backend-status"],
  [202, YES, "authFailure", "backend-status"],
  [203, YES, "authFailure", "backend-status"],
  [204, null, "authFailure", "backend-status"],
  [205, null, "authFailure", "backend-status"],
  [206, YES, "authFailure", "backend-status"],
  [299, YES, "authFailure", "backend-status"],
  [400, NO, "authFailure", "backend-status"],
  [402, NO, "authFailure", "backend-status"],
  [404, NO, "authFailure", "backend-status"],
  [405, YES, "authFailure", "backend-status"],
  [407, NO, "authFailure", "backend-status"],
  [408, NO, "authFailure", "backend-status"],
  [422, NO, "authFailure", "backend-status"],
  [429, NO, "authFailure", "backend-status"],
  [500, YES, "authFailure", "backend-status"],
  [500, NO, "authFailure", "backend-status"],
  [502, "<h1>Bad Gateway</h1>", "authFailure", "backend-status"],
  [503, null, "authFailure", "backend-status"],
  [504, YES, "authFailure", "backend-status"],
  [599, YES, "authFailure", "backend-status"],

  // Redirects, without a place to go here.
  [300, YES, "authFailure", "backend-redirect"],
  [301, YES, "authFailure", "backend-redirect"],
  [302, NO, "authFailure", "backend-redirect"],
  [303, null, "authFailure", "backend-redirect"],
  [304, null, "authFailure", "backend-redirect"],
  [307, YES, "authFailure", "backend-redirect"],
  [308, YES, "authFailure", "backend-redirect"],

  // Size wins over the status.
  [200, longYes(ANSWER_LIMIT + 1), "authFailure", "backend-size"],
  [401, longYes(ANSWER_LIMIT + 1), "authFailure", "backend-size"],
  [403, longYes(ANSWER_LIMIT + 1), "authFailure", "backend-size"],
  [500, longYes(ANSWER_LIMIT + 1), "authFailure", "backend-size"],
];

/** Headers that change nothing about an answer. */
export const ANSWER_HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { "content-type": "application/json" },
  { "content-type": "text/html; charset=iso-8859-1" },
  { "content-type": "nonsense" },
];
