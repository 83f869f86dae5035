//! How each statement is written: the example under an error in it.

use std::ops::Range;

use crate::units::Units;

/// How a statement is written, by its first word.
pub(crate) fn advice(units: &Units<'_>, range: &Range<usize>) -> Option<&'static str> {
    Some(match units.word(range.start) {
        "when" => "A route for the LLM is written `when agrees: \"They agree to talk\" -> qualify`.",
        "on" => {
            "A handler is written `on error -> take_message` or `on silence(6s) { say \"Are you still there?\" }`."
        }
        "if" => "A condition is written `if booked -> confirm`.",
        "else" => "It is written `else -> take_message`.",
        "next" => "It is written `next -> confirm`.",
        "var" => "A variable is written `var budget: money \"Yearly budget\"`.",
        "input" => "An input is written `input lead_id: text`.",
        "collect" => "It is written `collect day, reason { tries: 3 }`.",
        "call" => "A call is written `call find_slots(day) as slots`.",
        "run" => "A flow is run by `run verify(full_name) as identity`.",
        "set" => "It is written `set topic = sales`.",
        "transfer" => "It is written `transfer env.FRONT_DESK { mode: warm }`.",
        "outcome" => "It is written `outcome booked, gave_up`.",
        "import" => "It is written `import { verify } from \"./verify.dgh\"`.",
        "enum" => "It is written `enum Topic { sales, service }`.",
        "type" => "It is written `type Desk { name: text, number: phone }`.",
        "const" => "It is written `const fee: money = 20 USD`.",
        "tool" => "It is written `tool lookup(phone: phone) -> text { about: \"…\" get: \"…\" }`.",
        "flow" => "It is written `flow verify(name: text) -> Verified { … }`.",
        "agent" => "It is written `agent front_desk { … }`.",
        "node" => "It is written `node hello { … }`.",
        "webhook" => "It is written `webhook crm on call.ended { post: \"…\" }`.",
        "ensure" => "It is written `ensure identity == yes before disclose`.",
        "always" => "It is written `always amount <= balance else \"Too much\"`.",
        "never" => "It is written `never balance in voicemail`.",
        "moved" => "It is written `moved old_name -> new_name`.",
        "score" => "It is written `score polite: 1..5 \"The agent was polite\"`.",
        "test" => "It is written `test \"what it shows\" { … }`.",
        "says" => "It is written `says \"Tomorrow, please\" means { day: 2026-03-02 }`.",
        "mock" => "It is written `mock find_slots = […]`.",
        "given" => "It is written `given lead_id = \"L1\"`.",
        "expect" => "It is written `expect outcome == booked`.",
        "mcp" => "It is written `mcp calendar { url: env.CALENDAR_MCP }`.",
        "phrase" => "It is written `phrase welcome { en \"Hello\" es \"Hola\" }`.",
        _ => return None,
    })
}
