//! `test`: what happens, and what is expected.

use std::collections::{BTreeSet, HashMap, VecDeque};

use dgh_diag::{Code, Place};
use dgh_ir::program::{AgentId, Decider, DialogueId, RouteRef, SlotKind, StepKind, Target, ToolRef};
use dgh_ir::test::{
    Given, GivenWhat, Meaning, MeaningNote, Mock, MockAnswer, MockWhat, TestCase, TestStep, TestStepKind,
};
use dgh_ir::{Kind, Type, Value};
use dgh_syntax::ast::{self, AstNode as _, LiteralValue, TestItem};

use super::body::Body;
use super::convert::Goal;
use super::{Cx, Lower, Names};
use crate::names::Named;
use crate::types::literal;

/// What a turn of a test can mean: the labels and variables of an agent and of the flows that it
/// runs.
#[derive(Debug, Default)]
struct Meanings {
    labels: HashMap<String, Vec<RouteRef>>,
    variables: HashMap<String, Vec<Variable>>,
    /// Names in a fixed order, for messages.
    label_names: Vec<String>,
    variable_names: Vec<String>,
    /// Whether something that did not resolve may have more of them.
    lost: bool,
    /// Agents that the call may be handed to, nearest first.
    agents: Vec<AgentId>,
}

#[derive(Debug)]
struct Variable {
    ty: Type,
    /// Whether it is picked from a list somewhere: then its value may be a number.
    choice: bool,
}

const TRANSFER: &[&str] = &["answered", "busy", "no_answer", "declined", "failed", "unsupported"];

impl Lower<'_> {
    /// The tests of the entry file.
    pub(crate) fn all_tests(&mut self) -> Vec<TestCase> {
        let Some(entry) = self.input.files.iter().find(|f| f.id == self.input.entry) else {
            return Vec::new();
        };
        let tests: Vec<ast::Test> = entry.parse.file().tests().collect();
        let mut meanings: HashMap<AgentId, Meanings> = HashMap::new();
        let mut names: HashMap<String, Place> = HashMap::new();
        let mut found = Vec::new();
        for test in tests {
            if let Some(name) = test.name() {
                let place = self.place(0, name.span());
                let text = name.plain_text().unwrap_or_default();
                if let Some(first) = names.insert(text.clone(), place) {
                    self.duplicate(place, first, &format!("the test \"{text}\""));
                }
            }
            found.extend(self.test(&test, &mut meanings));
        }
        found
    }

    fn test(&mut self, item: &ast::Test, meanings: &mut HashMap<AgentId, Meanings>) -> Option<TestCase> {
        let agent = self.test_agent(item)?;
        let meanings = meanings.entry(agent).or_insert_with(|| self.meanings(agent));
        // The names of the dialogue are lent for the time of the test.
        let body = self.bodies.remove(&DialogueId::Agent(agent))?;
        self.test_agents.clone_from(&meanings.agents);
        let span = item.name().map_or_else(|| item.span(), |n| n.span());
        let origin = self.origin_of(0, span, item);
        let mut test = TestCase {
            name: item.name().and_then(|n| n.plain_text()).unwrap_or_default(),
            agent,
            given: Vec::new(),
            mocks: Vec::new(),
            steps: Vec::new(),
            origin,
        };
        for line in item.items() {
            self.line(&body, meanings, &line, &mut test);
        }
        self.check_inputs(&body, &test, span, item);
        self.bodies.insert(DialogueId::Agent(agent), body);
        self.test_agents.clear();
        Some(test)
    }

    fn test_agent(&mut self, item: &ast::Test) -> Option<AgentId> {
        if let Some(name) = item.agent() {
            let place = self.place(0, name.span());
            let text = name.text();
            return match self.scope(0).and_then(|s| s.get(&text)) {
                Some(Named::Agent(id)) => Some(id),
                Some(Named::Hole) => None,
                Some(other) => {
                    self.error(
                        Code::UnknownAgent,
                        place,
                        format!("`{text}` is {}, not an agent", other.what()),
                    );
                    None
                }
                None => {
                    if !self.is_lost(0, &text) {
                        let known = self
                            .scope(0)
                            .map(|s| s.names_of(|n| matches!(n, Named::Agent(_))))
                            .unwrap_or_default();
                        let finding = self.unknown(
                            Code::UnknownAgent,
                            place,
                            format!("there is no agent `{text}`"),
                            &text,
                            &known,
                        );
                        self.report.push(finding);
                    }
                    None
                }
            };
        }
        let own: Vec<AgentId> = self
            .items
            .iter()
            .filter(|(file, ..)| *file == 0)
            .filter_map(|(.., n)| if let Named::Agent(id) = n { Some(*id) } else { None })
            .collect();
        let span = item.name().map_or_else(|| item.span(), |n| n.span());
        let place = self.place(0, span);
        match own.as_slice() {
            [one] => Some(*one),
            [] => {
                // An agent that the parser could not read was reported.
                if self.scope(0).is_some_and(|s| s.lost.is_empty()) {
                    self.error_hint(
                        Code::TestNeedsAgent,
                        place,
                        "this file has no agent that could be tested",
                        "Flows are tested through an agent that runs them.",
                    );
                }
                None
            }
            [first, ..] => {
                let name = &self.program.agents[*first].name;
                let hint = format!("Name it: `test \"…\" of {name} {{ … }}`.");
                self.error_hint(
                    Code::TestNeedsAgent,
                    place,
                    "this file has several agents, and the test does not say which one it is of",
                    hint,
                );
                None
            }
        }
    }

    fn meanings(&self, agent: AgentId) -> Meanings {
        let mut found = Meanings::default();
        let mut seen: BTreeSet<DialogueId> = BTreeSet::new();
        let mut queue = VecDeque::from([DialogueId::Agent(agent)]);
        while let Some(id) = queue.pop_front() {
            if !seen.insert(id) {
                continue;
            }
            if let DialogueId::Agent(other) = id
                && other != agent
            {
                found.agents.push(other);
            }
            let dialogue = self.program.dialogue(id);
            for (route, item) in dialogue.routes.iter() {
                if let Decider::When(when) = &item.decider {
                    let known = found.labels.entry(when.label.clone()).or_insert_with(|| {
                        found.label_names.push(when.label.clone());
                        Vec::new()
                    });
                    known.push(RouteRef { dialogue: id, route });
                }
            }
            let choices: BTreeSet<_> = dialogue
                .nodes
                .iter()
                .filter_map(|(_, n)| n.collect.as_ref())
                .filter(|c| c.from.is_some())
                .flat_map(|c| c.slots.iter().copied())
                .collect();
            for (slot, item) in dialogue.slots.iter().filter(|(_, s)| s.kind == SlotKind::Var) {
                let known = found.variables.entry(item.name.clone()).or_insert_with(|| {
                    found.variable_names.push(item.name.clone());
                    Vec::new()
                });
                known.push(Variable { ty: item.ty.clone(), choice: choices.contains(&slot) });
            }
            let blocks = dialogue.routes.iter().flat_map(|(_, r)| &r.block);
            let steps: Vec<_> = dialogue.nodes.iter().flat_map(|(_, n)| &n.steps).chain(blocks).collect();
            found.lost |= steps.iter().any(|s| s.kind == StepKind::Hole)
                || dialogue.routes.iter().any(|(_, r)| r.target == Some(Target::Hole));
            queue.extend(steps.iter().filter_map(|s| match &s.kind {
                StepKind::Run { flow, .. } => Some(DialogueId::Flow(*flow)),
                _ => None,
            }));
            queue.extend(dialogue.routes.iter().filter_map(|(_, r)| match &r.target {
                Some(Target::Agent(other, _)) => Some(DialogueId::Agent(*other)),
                _ => None,
            }));
        }
        found
    }

    fn line(&mut self, body: &Body, meanings: &Meanings, line: &ast::TestItem, test: &mut TestCase) {
        let origin = self.origin_of(0, line.span(), line);
        let kind = match line {
            TestItem::Given(item) => {
                for value in item.values() {
                    test.given.extend(self.given(body, &value));
                }
                return;
            }
            TestItem::Mock(item) => {
                test.mocks.extend(self.mock(body, item));
                return;
            }
            TestItem::Says(item) => self.plain_words(item.text()).map(|words| {
                let meaning = item.means().and_then(|m| self.meaning(meanings, &m));
                TestStepKind::Says(words, meaning)
            }),
            TestItem::Interrupts(item) => self.plain_words(item.text()).map(|words| {
                if let Some(means) = item.means() {
                    let meaning = self.meaning(meanings, &means);
                    return TestStepKind::Interrupts(words, meaning);
                }
                TestStepKind::Interrupts(words, None)
            }),
            TestItem::AgentSays(item) => self.plain_words(item.text()).map(TestStepKind::AgentSays),
            TestItem::Keys(item) => self.plain_words(item.keys()).map(|keys| {
                if !literal::is_keys(&keys) {
                    let place = self.place(0, item.keys().map_or_else(|| item.span(), |k| k.span()));
                    self.error(Code::BadFormat, place, "`keys` takes digits, `*` and `#`");
                }
                TestStepKind::Keys(keys)
            }),
            TestItem::Waits(item) => {
                let ms = item.time().and_then(|t| self.fixed_ms(&Cx::fixed(0), &t, "`waits`"));
                ms.and_then(|ms| i64::try_from(ms).ok()).map(TestStepKind::Waits)
            }
            TestItem::HangsUp(_) => Some(TestStepKind::HangsUp),
            TestItem::Expect(item) => item.condition().map(|c| {
                let cx = Cx::new(0, Names::Test(body));
                TestStepKind::Expect(self.condition(&cx, &c))
            }),
            TestItem::Caller(item) => {
                item.text().map(|t| TestStepKind::Caller(self.template(&Cx::fixed(0), &t)))
            }
            TestItem::Judge(item) => {
                let least = item.at_least().and_then(|least| self.share(&least));
                self.plain_words(item.text()).map(|text| TestStepKind::Judge(text, least))
            }
        };
        test.steps.extend(kind.map(|kind| TestStep { kind, origin }));
    }

    /// A share in percent, from 0 to 100.
    fn share(&mut self, least: &ast::AtLeast) -> Option<u32> {
        let value = least.share()?;
        let place = self.place(0, value.span());
        let whole = match self.fixed(&Cx::fixed(0), &value, &Type::of(Kind::Number), "`at_least`")? {
            Value::Number(share) => {
                u32::try_from(share.checked_mul(rust_decimal::Decimal::ONE_HUNDRED)?.trunc()).ok()
            }
            Value::Int(share) => u32::try_from(share).ok()?.checked_mul(100),
            _ => None,
        };
        let fits = whole.filter(|percent| *percent <= 100);
        if fits.is_none() {
            self.error_hint(Code::OutOfRange, place, "a share is from 0% to 100%", "Write `at_least 80%`.");
        }
        fits
    }

    fn plain_words(&mut self, text: Option<ast::StringLit>) -> Option<String> {
        let text = text?;
        let plain = text.plain_text();
        if plain.is_none() {
            let place = self.place(0, text.span());
            self.error_hint(
                Code::WrongType,
                place,
                "a test says plain words",
                "Write the text without `{{ }}`.",
            );
        }
        plain
    }

    fn given(&mut self, body: &Body, item: &ast::GivenValue) -> Option<Given> {
        let (path, value) = (item.path()?, item.value()?);
        let place = self.place(0, path.span());
        let origin = self.report.origin(place);
        let text = path.text();
        let what = format!("`{text}`");
        let goal = Goal { what: &what, code: Code::WrongType };
        let (what, ty) = match text.as_str() {
            "now" => (GivenWhat::Now, Type::of(Kind::DateTime)),
            "caller.phone" => (GivenWhat::CallerPhone, Type::of(Kind::Phone).optional()),
            "caller.language" => (GivenWhat::CallerLanguage, Type::of(Kind::Text)),
            _ => match (text.strip_prefix("env."), body.slot(&text)) {
                (Some(name), _) => (GivenWhat::Env(name.to_owned()), Type::of(Kind::Text)),
                (None, Some((id, slot))) if slot.kind == SlotKind::Input => {
                    (GivenWhat::Input(id), slot.ty.clone())
                }
                (None, found) => {
                    self.bad_given(body, &text, place, found.is_some());
                    return None;
                }
            },
        };
        let value = self.test_value(0, &value, &ty, goal)?;
        Some(Given { what, value, origin })
    }

    fn bad_given(&mut self, body: &Body, name: &str, place: Place, is_variable: bool) {
        if self.is_lost(0, name) {
            return;
        }
        if is_variable {
            self.error_hint(
                Code::NotAssignable,
                place,
                format!("`{name}` is learned during the call, so it cannot be given before"),
                format!("Let the caller say it: `says \"…\" means {{ {name}: … }}`."),
            );
            return;
        }
        let known: Vec<&str> = body
            .slot_names(|k| k == SlotKind::Input)
            .into_iter()
            .chain(["now", "caller.phone", "caller.language"])
            .collect();
        let finding =
            self.unknown(Code::UnknownName, place, format!("there is no input `{name}`"), name, &known);
        self.report.push(finding);
    }

    fn check_inputs(&mut self, body: &Body, test: &TestCase, span: dgh_diag::Span, item: &ast::Test) {
        let given = |id| test.given.iter().any(|g| g.what == GivenWhat::Input(id));
        let named: Vec<String> = item
            .items()
            .filter_map(|i| if let TestItem::Given(g) = i { Some(g) } else { None })
            .flat_map(|g| g.values())
            .filter_map(|v| Some(v.path()?.text()))
            .collect();
        let missing: Vec<String> = body
            .slots
            .iter()
            .filter(|(id, s)| {
                s.kind == SlotKind::Input
                    && s.default.is_none()
                    && !s.ty.optional
                    && !given(*id)
                    && !named.contains(&s.name)
            })
            .map(|(_, s)| s.name.clone())
            .collect();
        if !missing.is_empty() && !item.has_errors() {
            let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&missing));
            let place = self.place(0, span);
            let hint = format!("Add `given {} = …`.", missing.first().map_or("x", String::as_str));
            self.error_hint(Code::MissingArgument, place, format!("this test does not give {names}"), hint);
        }
    }

    fn mock(&mut self, body: &Body, item: &ast::Mock) -> Option<Mock> {
        let (path, value) = (item.path()?, item.value()?);
        let segments: Vec<ast::NameRef> = path.segments().collect();
        let place = self.place(0, path.span());
        let origin = self.report.origin(place);
        let text = path.text();
        let cx = Cx::new(0, Names::Test(body));
        if text == "transfer" {
            let answer = self.mock_transfer(&value)?;
            return Some(Mock { what: MockWhat::Transfer, answer, origin });
        }
        let tool = self.tool_ref(&cx, &segments);
        if let Some(error) = self.mock_error(&value) {
            let what = match tool {
                ToolRef::Knowledge(id) => MockWhat::Knowledge(id),
                ToolRef::Hole => MockWhat::Hole,
                tool => MockWhat::Tool(tool),
            };
            return Some(Mock { what, answer: MockAnswer::Error(error?), origin });
        }
        let (what, ty) = match tool {
            ToolRef::Knowledge(id) => (MockWhat::Knowledge(id), self.knowledge_type(&value)),
            ToolRef::Tool(id) => {
                let ty =
                    self.program.tools[id].result.clone().unwrap_or_else(|| Type::of(Kind::Json).optional());
                (MockWhat::Tool(ToolRef::Tool(id)), ty)
            }
            ToolRef::Mcp(_, None) => {
                self.error_hint(
                    Code::BadMock,
                    place,
                    "a server is mocked tool by tool",
                    format!("Name the tool: `mock {text}.tool = …`."),
                );
                (MockWhat::Hole, Type::hole())
            }
            ToolRef::Mcp(id, name) => {
                (MockWhat::Tool(ToolRef::Mcp(id, name)), Type::of(Kind::Json).optional())
            }
            ToolRef::Hole => (MockWhat::Hole, Type::hole()),
        };
        let what_text = format!("`{text}`");
        let value = self.test_value(0, &value, &ty, Goal { what: &what_text, code: Code::BadMock })?;
        Some(Mock { what, answer: MockAnswer::Value(value), origin })
    }

    /// Knowledge answers with one passage or several.
    #[allow(clippy::unused_self, reason = "reads as the others do")]
    fn knowledge_type(&self, value: &ast::Expr) -> Type {
        let text = Type::of(Kind::Text);
        if matches!(value, ast::Expr::List(_)) { Type::of(Kind::List(Box::new(text))) } else { text }
    }

    fn mock_transfer(&mut self, value: &ast::Expr) -> Option<MockAnswer> {
        let place = self.place(0, value.span());
        let word = match value {
            ast::Expr::Name(name) => name.name().map(|n| n.text()),
            ast::Expr::String(text) => text.plain_text(),
            _ => None,
        };
        match word {
            Some(word) if TRANSFER.contains(&word.as_str()) => Some(MockAnswer::Value(Value::Case(word))),
            Some(word) => {
                let finding = self.unknown(
                    Code::BadMock,
                    place,
                    format!("a transfer does not end as `{word}`"),
                    &word,
                    TRANSFER,
                );
                self.report.push(finding);
                None
            }
            None => {
                let names = dgh_diag::suggest::any_of(&dgh_diag::suggest::quoted(TRANSFER));
                self.error(Code::BadMock, place, format!("a transfer ends as {names}"));
                None
            }
        }
    }

    /// `error("timeout")`: the outer none where it is something else.
    #[allow(clippy::option_option, reason = "nothing said, said wrong, said right")]
    fn mock_error(&mut self, value: &ast::Expr) -> Option<Option<String>> {
        let ast::Expr::Call(call) = value else { return None };
        let Some(ast::Expr::Name(name)) = call.callee() else { return None };
        if name.name().is_none_or(|n| n.text() != "error") {
            return None;
        }
        let args: Vec<ast::Arg> = call.args().into_iter().flat_map(|a| a.args()).collect();
        match args.as_slice() {
            [] => Some(Some("failed".to_owned())),
            [one] => match one.value() {
                Some(ast::Expr::String(text)) if text.plain_text().is_some() => Some(text.plain_text()),
                _ => {
                    let place = self.place(0, one.span());
                    self.error(Code::BadMock, place, "`error` takes a text: `error(\"timeout\")`");
                    Some(None)
                }
            },
            _ => {
                let place = self.place(0, call.span());
                self.error(Code::BadMock, place, "`error` takes one text: `error(\"timeout\")`");
                Some(None)
            }
        }
    }

    fn meaning(&mut self, meanings: &Meanings, item: &ast::Means) -> Option<Meaning> {
        let mut meaning = Meaning { route: None, label: None, notes: Vec::new() };
        if item.nothing().is_some() {
            return Some(meaning);
        }
        if let Some(label) = item.label() {
            let text = label.text();
            match meanings.labels.get(&text).map(Vec::as_slice) {
                // One of several is chosen by where the conversation is.
                Some([one]) => meaning.route = Some(*one),
                Some(_) => {}
                None => {
                    self.unknown_label(meanings, &text, &label);
                    return None;
                }
            }
            meaning.label = Some(text);
        }
        for field in item.values().into_iter().flat_map(|r| r.fields()) {
            meaning.notes.extend(self.note(meanings, &field));
        }
        Some(meaning)
    }

    fn unknown_label(&mut self, meanings: &Meanings, label: &str, at: &ast::NameRef) {
        if self.is_lost(0, label) || meanings.lost {
            return;
        }
        let place = self.place(0, at.span());
        let known: Vec<&str> = meanings.label_names.iter().map(String::as_str).collect();
        let finding = self.unknown(
            Code::UnknownMeaning,
            place,
            format!("no `when` has the label `{label}`"),
            label,
            &known,
        );
        let finding = if finding.fixes.is_empty() && meanings.variables.contains_key(label) {
            finding.with_hint(format!("`{label}` is a variable. Write `means {{ {label}: … }}`."))
        } else {
            finding
        };
        self.report.push(finding);
    }

    fn note(&mut self, meanings: &Meanings, field: &ast::RecordField) -> Option<MeaningNote> {
        let (name, value) = (field.key()?, field.value()?);
        let span = field.name().map_or_else(|| field.span(), |n| n.span());
        let place = self.place(0, span);
        let origin = self.report.origin(place);
        let Some(variables) = meanings.variables.get(&name) else {
            if !self.is_lost(0, &name) && !meanings.lost {
                let known: Vec<&str> = meanings.variable_names.iter().map(String::as_str).collect();
                let finding = self.unknown(
                    Code::UnknownMeaning,
                    place,
                    format!("there is no variable `{name}` to learn"),
                    &name,
                    &known,
                );
                self.report.push(finding);
            }
            return None;
        };
        if variables.iter().any(|v| v.choice)
            && let ast::Expr::Literal(literal) = &value
            && let Some(LiteralValue::Int(n)) = literal.value()
        {
            if n < 1 {
                let place = self.place(0, value.span());
                self.error(Code::OutOfRange, place, "entries of a list are counted from 1");
            }
            return Some(MeaningNote { name, value: Value::Int(n), origin });
        }
        let variable = variables.first()?;
        let what = format!("`{name}`");
        let value =
            self.test_value(0, &value, &variable.ty.clone(), Goal { what: &what, code: Code::WrongType })?;
        Some(MeaningNote { name, value, origin })
    }
}
