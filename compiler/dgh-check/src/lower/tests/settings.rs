//! 01xx: settings, what is required, what excludes what, what stands in the wrong place.

use dgh_diag::Code::*;

use super::program::{At, table};

#[test]
fn settings_are_known() {
    table(
        &[
            (UnknownSetting, At::Tool, "«time_out»: 3s", "Did you mean `timeout`?"),
            (UnknownSetting, At::Tool, "«builtin»: calculator", "a tool has no setting `builtin`"),
            (UnknownSetting, At::Webhook, "«sing»: secret.X", "Did you mean `sign`?"),
            (UnknownSetting, At::Collect, "collect day { «confrim»: always }", "Did you mean `confirm`?"),
            (UnknownSetting, At::Step, "transfer target { «rings»: 20s }", "Did you mean `ring`?"),
            (
                UnknownSetting,
                At::Step,
                "call find(day) as more { «meanwile»: \"x\" }",
                "Did you mean `meanwhile`?",
            ),
            (UnknownSetting, At::Member, "«langauge2»: \"en\"", "an agent has no setting"),
            (UnknownSetting, At::Member, "«voice»: \"adam\"", "A voice is a parameter of its provider"),
            (UnknownSetting, At::Member, "limits { «time»: 3min }", "`limits` has no setting `time`"),
            (
                UnknownSetting,
                At::Member,
                "review q { «sampel»: 25%  score a: 1..5 \"x\" }",
                "Did you mean `sample`?",
            ),
            (
                UnknownSetting,
                At::Member,
                "knowledge k { «file»: \"x\" files: [\"a.pdf\"] }",
                "Did you mean `files`?",
            ),
            (
                UnknownSetting,
                At::Item,
                "mcp m { «adress»: \"x\", url: \"https://example.com\" }",
                "an MCP server has no setting",
            ),
            (
                UnknownSetting,
                At::Member,
                "node n { «speed»: 3 say \"x\" next -> act }",
                "a node has no setting",
            ),
        ],
        &[
            (
                At::Tool,
                "timeout: 3s, auth: bearer(secret.KEY), body: { name: name }, headers: { \"X-A\": env.A, \"X-B\": secret.B }, retries: 2, idempotent: true",
            ),
            (
                At::Webhook,
                "auth: basic(\"me\", secret.P) sign: secret.S body: { who: who, age: age?, outcome: call.outcome?, url: call.transcript_url, at: now }",
            ),
            (
                At::Collect,
                "collect day { confirm: unsure, tries: LIMIT, ask: \"Which day?\", by: speech_or_keypad, until: \"#\" }",
            ),
            (At::Step, "call find(day) as more { meanwhile: \"x\", timeout: 1500ms }"),
            (
                At::Member,
                "limits { duration: 6min, cost: 0.40 USD, turns: 40 } sound { ambient: none, volume: 0.5 }",
            ),
            (
                At::Member,
                "turn { interrupt: true, end_after: 700ms }  words: [\"Kim\"]  tags: [\"x\"]  time_zone: \"Europe/Berlin\"  channels: [web]",
            ),
            (
                At::Member,
                "review q { sample: 25%, min_duration: 15s score polite: 1..5 \"x\" score ok: bool \"y\" }",
            ),
            (
                At::Member,
                "llm: [openai(\"gpt-4.1\", temperature: 2, top_p: 90%), anthropic(\"x\", temperature: 1)] stt: deepgram(\"nova-3\", language: \"multi\") tts: elevenlabs(\"f\", voice: \"adam\") judge: groq(\"x\")",
            ),
        ],
    );
}

#[test]
fn what_is_needed_is_there() {
    table(
        &[
            (SettingRequired, At::Item, "tool «t»(a: text) { about: \"x\" }", "does not say what it asks"),
            (
                SettingRequired,
                At::Item,
                "tool «t»(a: text) { get: \"https://example.com\" }",
                "does not say what it is for",
            ),
            (SettingRequired, At::Tool, "«retries»: 2", "may do its work twice"),
            (SettingRequired, At::Item, "mcp «m» { timeout: 3s }", "does not say where it is"),
            (SettingRequired, At::Item, "knowledge «k» { mode: full }", "does not say where it is"),
            (
                SettingRequired,
                At::Item,
                "flow «f»(x: text) { start s node s { say x next -> return x } }",
                "does not say what it returns",
            ),
            (
                SettingRequired,
                At::Member,
                "webhook «w» on call.ended { body: { a: who } }",
                "does not say where it is sent",
            ),
            (SettingRequired, At::Member, "«inbound» { }", "`inbound` needs `numbers`"),
            (MissingPart, At::Item, "enum «E» { }", "an enum without cases"),
            (MissingPart, At::Item, "phrase «p» { }", "has no text"),
            (MissingPart, At::Member, "review «q» { sample: 5% }", "scores nothing"),
            (
                MissingStart,
                At::Item,
                "agent «x» { outcome o node n { say \"x\" next -> end o } }",
                "`start n`",
            ),
            (
                MissingStart,
                At::Item,
                "flow «f»(x: text) -> text { node n { say x next -> return x } }",
                "this flow does not say where it starts",
            ),
        ],
        &[
            (
                At::Item,
                "/// What it does.\ntool t(a: text) { get: \"https://example.com/{{ a }}\", retries: 2 }",
            ),
            (At::Item, "mcp m { command: \"server --stdio\", allow: [\"a\"] }"),
            (At::Member, "inbound { numbers: [env.NUMBER] }"),
        ],
    );
}

#[test]
fn some_things_exclude_each_other() {
    table(
        &[
            (Conflict, At::Member, "«languages»: [\"en\", \"es\"]", "`language` or `languages`"),
            (
                Conflict,
                At::Member,
                "realtime: openai(\"gpt-realtime\") «llm»: openai(\"x\") tts: cartesia(\"x\")",
                "no `llm` beside it",
            ),
            (
                Conflict,
                At::Member,
                "realtime: openai(\"gpt-realtime\") «stt»: deepgram(\"x\") tts: cartesia(\"x\")",
                "no `stt` beside it",
            ),
            (Conflict, At::Member, "moved «act» -> pick", "there is still a node of this name"),
            (Conflict, At::Tool, "«get»: \"https://example.com\"", "a request has one method"),
            (
                Conflict,
                At::Item,
                "tool t(a: text) { about: \"x\" get: \"https://example.com\" «body»: { a: a } }",
                "`get` sends no body",
            ),
            (
                Conflict,
                At::Item,
                "tool t(a: text) { about: \"x\" get: \"https://example.com\" «result»: \"$.a\" }",
                "picks from an answer",
            ),
            (Conflict, At::Item, "mcp m { url: \"https://example.com\", «command»: \"x\" }", "has both"),
            (Conflict, At::Collect, "collect day\n«collect total»", "one `collect`"),
            (
                Conflict,
                At::Member,
                "node n { prompt \"a\" «prompt \"b\"» when x: \"X\" -> act }",
                "one `prompt`",
            ),
            (Conflict, At::Member, "«prompt \"b\"»", "one `prompt`"),
            (Conflict, At::Collect, "collect choice, «day» from slots", "only one variable can be picked"),
            (
                Conflict,
                At::Item,
                "agent self { outcome o start s node s { say \"x\" next -> agent «self»() } }",
                "to itself",
            ),
        ],
        &[(At::Member, "realtime: openai(\"gpt-realtime\") tts: cartesia(\"x\")")],
    );
}

#[test]
fn everything_has_its_place() {
    table(
        &[
            (
                Misplaced,
                At::Item,
                "provider llm «mine»(model: text) { protocol: x }",
                "Only the standard library declares providers",
            ),
            (
                Misplaced,
                At::Item,
                "event «rain»() { moment: any }",
                "Only the standard library declares events",
            ),
            (Misplaced, At::Item, "group «mine» { a: text }", "Only the standard library declares groups"),
            (
                Misplaced,
                At::Item,
                "«anywhere { on error -> act }»",
                "Only the standard library declares handlers",
            ),
            (
                Misplaced,
                At::Item,
                "flow f(x: text) -> text { «prompt \"x\"» start n node n { say x next -> return x } }",
                "A flow has no `prompt`",
            ),
            (
                Misplaced,
                At::Item,
                "flow f(x: text) -> text { «outcome a» start n node n { say x next -> return x } }",
                "A flow has no outcomes",
            ),
            (
                Misplaced,
                At::Item,
                "flow f(x: text) -> text { «llm»: openai(\"x\") start n node n { say x next -> return x } }",
                "A flow has no settings",
            ),
            (
                Misplaced,
                At::Item,
                "flow f(x: text) -> text { start n node n { say x next -> «end done» } }",
                "A flow cannot end the call",
            ),
            (
                Misplaced,
                At::Item,
                "flow f(x: text) -> text { start n node n { say \"{{ call.«outcome» ?? x }}\" next -> return x } }",
                "is not known here",
            ),
            (Misplaced, At::Route, "when m: \"M\" -> «return true»", "Only a flow returns a value"),
            (
                Misplaced,
                At::Member,
                "node n { «language»: \"en\" say \"x\" next -> act }",
                "belongs to the agent",
            ),
            (
                Misplaced,
                At::Member,
                "node n { «limits» { turns: 3 } say \"x\" next -> act }",
                "belongs to the agent",
            ),
            (
                Misplaced,
                At::Member,
                "node n { prompt \"x\" «confirm»: always when a: \"A\" -> act }",
                "belongs to a `collect`",
            ),
            (Misplaced, At::Member, "anywhere { «next» -> act }", "stands in a node"),
            (Misplaced, At::Member, "«turns»: 30", "Write `limits { turns: … }`."),
            (Misplaced, At::Member, "limits { turns: «total» }", "not known yet when settings are read"),
            (SecretMisplaced, At::Say, "{{ «secret.KEY» }}", "may not stand here"),
            (SecretMisplaced, At::Tool, "body: { key: «secret.KEY» }", "may not stand here"),
            (SecretMisplaced, At::Step, "set comment = «secret.KEY»", "may not stand here"),
            (WrongType, At::Tool, "auth: bearer(«\"abc\"»)", "Name a secret of the profile"),
            (WrongType, At::Tool, "auth: «\"abc\"»", "says how a request proves"),
            (WrongType, At::Webhook, "sign: «\"abc\"»", "`sign` takes a secret"),
            (WrongType, At::Tool, "headers: «[1]»", "`headers` takes names and values"),
            (BareCredential, At::Tool, "headers: { «\"X-Api-Key\"»: \"abc\" }", "`secret.NAME`"),
            (
                BareCredential,
                At::Webhook,
                "headers: { «\"Authorization\"»: \"Bearer {{ call.id }}\" }",
                "is no secret",
            ),
            (ReservedHeader, At::Webhook, "headers: { «\"X-Dgh-Attempt\"»: \"1\" }", "set by itself"),
            (ReservedHeader, At::Webhook, "headers: { «\"Webhook-Id\"»: \"1\" }", "set by itself"),
            (ReservedHeader, At::Tool, "headers: { «\"Host\"»: \"example.com\" }", "set by itself"),
            (
                WrongType,
                At::Item,
                "tool t(a: text) { about: \"x\" get: «\"/slots\"» }",
                "takes a web address",
            ),
            (
                OutOfRange,
                At::Member,
                "llm: openai(\"gpt-4.1\", temperature: «30»)",
                "`temperature` of `openai` goes from 0 to 2, and this is 30",
            ),
            (OutOfRange, At::Member, "llm: anthropic(\"x\", temperature: «1.5»)", "From 0 to 1."),
            (OutOfRange, At::Member, "llm: openai(\"x\", temperature: «-0.1»)", "goes from 0 to 2"),
            (OutOfRange, At::Member, "llm: openai(\"x\", top_p: «150%»)", "goes from 0 to 1"),
            (OutOfRange, At::Member, "llm: [openai(\"x\", max_tokens: «-5»)]", "cannot be less than 0"),
            (OutOfRange, At::Member, "llm: openai(\"x\", timeout: «-2s»)", "cannot be less than 0"),
            (OutOfRange, At::Member, "tts: elevenlabs(\"f\", stability: «2»)", "goes from 0 to 1"),
            (WrongType, At::Member, "llm: «\"gpt-4.1\"»", "takes a provider with its model"),
            (WrongType, At::Member, "channels: [«\"phone\"»]", "without quotes"),
            (WrongType, At::Step, "play «\"hello\"»", "`play` plays a recording"),
            (WrongType, At::Route, "when m: \"M\" like [«who»] -> act", "an example is a text in quotes"),
            (
                BadFormat,
                At::Item,
                "tool t(a: text) -> text { about: \"x\" get: \"https://example.com\" result: \"$.a«[1.b»\" }",
                "not a JSONPath",
            ),
            (
                BadFormat,
                At::Item,
                "tool t(a: text) -> text { about: \"x\" get: \"https://example.com\" result: \"«a.b»\" }",
                "not a JSONPath",
            ),
            (BadFormat, At::Route, "on key(«\"A\"») -> act", "a key is one of"),
            (BadFormat, At::Route, "on language(«\"english\"») { say \"x\" }", "Did you mean `en`?"),
            (BadFormat, At::Item, "phrase p { «english» \"A\" }", "Did you mean `en`?"),
            (BadFormat, At::Member, "time_zone: \"«Berlin»\"", "Did you mean `Europe/Berlin`?"),
            (BadFormat, At::Step, "press «\"call\"»", "takes the keys of a telephone"),
            (BadFormat, At::Collect, "collect total { by: keypad, until: «\"##\"» }", "one key"),
        ],
        &[
            (
                At::Item,
                "tool t(a: text) -> text { about: \"x\" get: \"{{ env.API }}/x/{{ a }}\" result: \"$.data[0]['first name'].x\" }",
            ),
            (
                At::Item,
                "tool t(a: text) -> text { about: \"x\" get: env.URL auth: header(\"X-Key\", secret.KEY) }",
            ),
            (At::Member, "node n { llm: openai(\"x\") turn { interrupt: false } say \"x\" next -> act }"),
            (
                At::Member,
                "before call { call maybe(who) as known if caller.phone { call checked(who) as seen { timeout: 1s } } }",
            ),
        ],
    );
}
