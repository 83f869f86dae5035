//! Items that hold no conversation: `phrase`, `knowledge`, `mcp`; and the order of everything.

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::program::{KnowledgeId, McpId, McpTool, PhraseId, ToolRef};
use dgh_ir::{Kind, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::{Cx, Lower};
use crate::names::Named;
use crate::types::literal;

const MCP: &[&str] = &["url", "command", "auth", "allow", "timeout"];
const KNOWLEDGE: &[&str] = &["files", "urls", "mode"];

impl Lower<'_> {
    /// What calls and runs need to know: parameters, inputs, results.
    pub(crate) fn all_signatures(&mut self) {
        let items = self.items.clone();
        for (file, item, named) in &items {
            match (item, *named) {
                (ast::Item::Tool(item), Named::Tool(id)) => self.tool_signature(*file, item, id),
                (ast::Item::Flow(item), Named::Flow(id)) => self.flow_signature(*file, item, id),
                (ast::Item::Agent(item), Named::Agent(id)) => self.agent_signature(*file, item, id),
                _ => {}
            }
        }
    }

    /// Everything but dialogues and tests.
    pub(crate) fn all_data(&mut self) {
        let items = self.items.clone();
        for (file, item, named) in &items {
            match (item, *named) {
                (ast::Item::Tool(item), Named::Tool(id)) => self.tool(*file, item, id),
                (ast::Item::Phrase(item), Named::Phrase(id)) => self.phrase(*file, item, id),
                (ast::Item::Mcp(item), Named::Mcp(id)) => self.mcp(*file, item, id),
                (ast::Item::Knowledge(item), Named::Knowledge(id)) => self.knowledge(*file, item, id),
                _ => {}
            }
        }
        self.all_consts();
    }

    fn phrase(&mut self, file: usize, item: &ast::Phrase, id: PhraseId) {
        let cx = Cx::fixed(file);
        let mut first: Vec<(String, Place)> = Vec::new();
        let mut written = false;
        for entry in item.entries() {
            written = true;
            let (Some(language), Some(text)) = (entry.language(), entry.text()) else { continue };
            let tag = language.text();
            let place = self.at(&cx, &language);
            if !literal::is_language_tag(&tag) {
                self.bad_language(&tag, place);
                continue;
            }
            if let Some((_, earlier)) = first.iter().find(|(t, _)| *t == tag) {
                let finding =
                    Diagnostic::new(Code::Duplicate, place, format!("`{tag}` stands twice in this phrase"))
                        .with_related(*earlier, "the first one")
                        .with_hint("Remove one of the two.");
                self.report.push(finding);
                continue;
            }
            first.push((tag.clone(), place));
            let template = self.template(&cx, &text);
            self.program.phrases[id].texts.insert(tag, template);
        }
        if !written && !item.has_errors() {
            let place = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
            self.error_hint(
                Code::MissingPart,
                place,
                "this phrase has no text",
                "Write a language and a text: `en \"Welcome.\"`.",
            );
        }
    }

    /// Reports what is no language tag.
    pub(crate) fn bad_language(&mut self, tag: &str, place: Place) {
        let meant = match tag.to_ascii_lowercase().replace('_', "-").as_str() {
            "english" => Some("en".to_owned()),
            "spanish" | "español" | "espanol" => Some("es".to_owned()),
            "german" | "deutsch" => Some("de".to_owned()),
            "french" | "français" | "francais" => Some("fr".to_owned()),
            "portuguese" => Some("pt".to_owned()),
            "italian" => Some("it".to_owned()),
            "dutch" => Some("nl".to_owned()),
            other => {
                let mut parts = other.split('-');
                let first = parts.next().unwrap_or_default().to_owned();
                let tag = parts.fold(first, |tag, part| {
                    if part.len() == 2 {
                        format!("{tag}-{}", part.to_ascii_uppercase())
                    } else {
                        format!("{tag}-{part}")
                    }
                });
                literal::is_language_tag(&tag).then_some(tag)
            }
        };
        let hint = match meant {
            Some(meant) => format!("Did you mean `{meant}`?"),
            None => "A language is written as in `en`, `en-US`, `es-419`.".to_owned(),
        };
        self.error_hint(Code::BadFormat, place, format!("`{tag}` is not a language tag"), hint);
    }

    pub(crate) fn knowledge(&mut self, file: usize, item: &ast::Knowledge, id: KnowledgeId) {
        let settings = self.settings(file, item.config());
        let name_place = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
        let cx = Cx::fixed(file);
        for setting in &settings {
            match setting.name.as_str() {
                "files" => {
                    let files = self.fixed_texts(file, setting).unwrap_or_default();
                    for (path, place) in files {
                        self.check_file(&path, place);
                        self.program.knowledge[id].files.push(path);
                    }
                }
                "urls" => {
                    let want = Type::of(Kind::List(Box::new(Type::of(Kind::Url))));
                    let lowered = self.setting_expr(&cx, setting, &want);
                    if let dgh_ir::ExprKind::List(items) = lowered.kind {
                        self.program.knowledge[id].urls = items;
                    }
                }
                "mode" => {
                    if let Some(mode) = self.word(file, setting, &["search", "full"]) {
                        self.program.knowledge[id].full = mode == "full";
                    }
                }
                _ => self.unknown_setting(setting, "knowledge", KNOWLEDGE),
            }
        }
        if !settings.iter().any(|s| matches!(s.name.as_str(), "files" | "urls")) && !item.has_errors() {
            self.error_hint(
                Code::SettingRequired,
                name_place,
                "this knowledge does not say where it is",
                "Add `files: [\"faq.pdf\"]` or `urls: [\"https://…\"]`.",
            );
        }
    }

    /// A file of the bundle that the program names.
    fn check_file(&mut self, path: &str, place: Place) {
        let Some(exists) = self.input.config.file_exists else { return };
        if !exists(path) {
            self.error_hint(
                Code::FileMissing,
                place,
                format!("there is no file `{path}`"),
                "Paths start at the folder of dgh.toml.",
            );
        }
    }

    fn mcp(&mut self, file: usize, item: &ast::Mcp, id: McpId) {
        let settings = self.settings(file, item.config());
        let name_place = self.place(file, item.name().map_or_else(|| item.span(), |n| n.span()));
        let cx = Cx::fixed(file);
        let name = self.program.mcps[id].name.clone();
        self.program.mcps[id].tools = self.input.config.lock.as_ref().and_then(|l| l.get(&name)).cloned();
        for setting in &settings {
            match setting.name.as_str() {
                "url" => {
                    self.program.mcps[id].url = Some(self.setting_expr(&cx, setting, &Type::of(Kind::Url)));
                }
                "command" => {
                    self.program.mcps[id].command =
                        Some(self.setting_expr(&cx, setting, &Type::of(Kind::Text)));
                }
                "auth" => self.program.mcps[id].auth = self.auth(&cx, &setting.value),
                "timeout" => {
                    if let Some(ms) = self.fixed_ms(&cx, &setting.value, "`timeout`") {
                        self.program.mcps[id].timeout_ms = ms;
                    }
                }
                "allow" => {
                    let allowed = self.fixed_texts(file, setting).unwrap_or_default();
                    for (tool, place) in &allowed {
                        self.mcp_tool(id, tool, Self::inside(*place), false);
                    }
                    self.program.mcps[id].allow = Some(allowed.into_iter().map(|(t, _)| t).collect());
                }
                _ => self.unknown_setting(setting, "an MCP server", MCP),
            }
        }
        let find = |name: &str| settings.iter().find(|s| s.name == name);
        match (find("url"), find("command")) {
            (Some(url), Some(command)) => {
                let finding = Diagnostic::new(
                    Code::Conflict,
                    command.place,
                    "an MCP server has an address or a command, and this has both",
                )
                .with_related(url.place, "the address")
                .with_hint("Remove one of the two.");
                self.report.push(finding);
            }
            (None, None) if !item.has_errors() => {
                self.error_hint(
                    Code::SettingRequired,
                    name_place,
                    format!("the MCP server `{name}` does not say where it is"),
                    "Add `url: \"https://…\"`, or `command: \"…\"` for a program that is started.",
                );
            }
            _ => {}
        }
    }

    /// Checks the name of a tool against what the lock pins, and against `allow`.
    pub(crate) fn mcp_tool(
        &mut self,
        id: McpId,
        name: &str,
        place: Place,
        check_allow: bool,
    ) -> Option<McpTool> {
        let server = self.program.mcps.get(id)?;
        let server_name = server.name.clone();
        let Some(tools) = &server.tools else {
            self.note_unlocked(place, server_name);
            return None;
        };
        let Some(tool) = tools.iter().find(|t| t.name == name).cloned() else {
            let known: Vec<&str> = tools.iter().map(|t| t.name.as_str()).collect();
            let finding = self.unknown(
                Code::UnknownMcpTool,
                place,
                format!("`{server_name}` has no tool `{name}`"),
                name,
                &known,
            );
            let finding = if finding.fixes.is_empty() {
                finding.with_hint("If it is new there, run `dgh lock`.")
            } else {
                finding
            };
            self.report.push(finding);
            return None;
        };
        if check_allow && server.allow.as_ref().is_some_and(|a| !a.iter().any(|t| t == name)) {
            let origin = server.origin;
            let related = self.report.place(origin);
            let finding = Diagnostic::new(
                Code::UnknownMcpTool,
                place,
                format!("`{server_name}` does not allow its tool `{name}`"),
            )
            .with_related(related, "the server")
            .with_hint(format!("Add `\"{name}\"` to its `allow`."));
            self.report.push(finding);
        }
        Some(tool)
    }

    pub(super) fn note_unlocked(&mut self, place: Place, server: String) {
        self.env.unlocked.get_or_insert((place, server));
    }

    /// What a `use` or a `mock` names: a tool, knowledge, an MCP server or one of its tools.
    pub(crate) fn tool_ref(&mut self, cx: &Cx<'_>, segments: &[ast::NameRef]) -> ToolRef {
        let Some(first) = segments.first() else { return ToolRef::Hole };
        let name = first.text();
        let place = self.at(cx, first);
        if let Some(body) = cx.dialogue()
            && let Some((id, leftover)) = body.knowledge.get(&name)
        {
            if let Some(item) = self.local_items.get_mut(*leftover) {
                item.used = true;
            }
            return ToolRef::Knowledge(*id);
        }
        match self.scope(cx.file).and_then(|s| s.get(&name)) {
            Some(Named::Mcp(id)) => match segments.get(1) {
                None => ToolRef::Mcp(id, None),
                Some(tool) => {
                    let place = self.at(cx, tool);
                    self.mcp_tool(id, &tool.text(), place, true);
                    ToolRef::Mcp(id, Some(tool.text()))
                }
            },
            Some(Named::Tool(id)) if segments.len() == 1 => ToolRef::Tool(id),
            Some(Named::Knowledge(id)) if segments.len() == 1 => ToolRef::Knowledge(id),
            Some(Named::Tool(_) | Named::Knowledge(_)) => {
                let rest = segments.get(1).map_or(place, |s| self.at(cx, s));
                self.error_hint(
                    Code::UnknownTool,
                    rest,
                    format!("`{name}` has no parts"),
                    "Only an MCP server has tools inside: `server.tool`.",
                );
                ToolRef::Hole
            }
            Some(Named::Hole) => ToolRef::Hole,
            Some(Named::Flow(_)) => {
                self.error_hint(
                    Code::UnknownTool,
                    place,
                    format!("`{name}` is a flow, not a tool"),
                    format!("A flow is run by a step: `run {name}(…)`."),
                );
                ToolRef::Hole
            }
            Some(other) => {
                self.error(Code::UnknownTool, place, format!("`{name}` is {}, not a tool", other.what()));
                ToolRef::Hole
            }
            None => {
                self.unknown_tool(cx, &name, place, segments.len() > 1);
                ToolRef::Hole
            }
        }
    }

    fn unknown_tool(&mut self, cx: &Cx<'_>, name: &str, place: Place, of_server: bool) {
        if self.is_lost(cx.file, name) {
            return;
        }
        let mut known: Vec<&str> =
            cx.dialogue().map(|b| b.knowledge.keys().map(String::as_str).collect()).unwrap_or_default();
        known.sort_unstable();
        if let Some(scope) = self.scope(cx.file) {
            known.extend(
                scope.names_of(|n| matches!(n, Named::Tool(_) | Named::Mcp(_) | Named::Knowledge(_))),
            );
        }
        let what = if of_server { "MCP server" } else { "tool" };
        let finding =
            self.unknown(Code::UnknownTool, place, format!("there is no {what} `{name}`"), name, &known);
        let finding = if finding.hint.is_none() {
            finding.with_hint(if of_server {
                format!("Declare it: `mcp {name} {{ url: … }}`, or import it.")
            } else {
                format!("Declare it: `tool {name}(…) -> type {{ … }}`, or import it.")
            })
        } else {
            finding
        };
        self.report.push(finding);
    }
}
