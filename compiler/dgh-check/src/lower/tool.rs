//! `tool`.

use dgh_diag::{Code, Diagnostic, Edit, Fix, Place, Span};
use dgh_ir::program::{Method, ToolAction, ToolId};
use dgh_syntax::ast::{self, AstNode as _};

use super::member::is_torn;
use super::request::{METHODS, Whose};
use super::settings::Setting;
use super::{Cx, Lower, Names};
use crate::names::{FileScope, Named};

const SETTINGS: &[&str] = &[
    "about",
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "body",
    "headers",
    "auth",
    "result",
    "timeout",
    "retries",
    "idempotent",
];

impl Lower<'_> {
    /// Parameters and result, which calls need.
    pub(crate) fn tool_signature(&mut self, file: usize, item: &ast::Tool, id: ToolId) {
        let name = item.name().map(|n| n.text()).unwrap_or_default();
        let params = self.params(file, item.params(), &format!("`{name}`"));
        let result = item.result_type().map(|t| self.ty(file, &t));
        self.program.tools[id].params = params;
        if is_torn(item) || item.param_list().is_none_or(|p| p.has_errors()) {
            self.damaged.insert(Named::Tool(id));
        }
        self.program.tools[id].result = result;
    }

    /// What the tool does.
    pub(crate) fn tool(&mut self, file: usize, item: &ast::Tool, id: ToolId) {
        let Some(name) = item.name() else { return };
        let name_place = self.place(file, name.span());
        let settings = self.settings(file, item.config());
        let params = self.program.tools[id].params.clone();
        let cx = Cx::new(file, Names::Params(&params));
        let library = self.scope(file).is_some_and(FileScope::is_library);
        let known: Vec<&str> =
            if library { SETTINGS.iter().copied().chain(["builtin"]).collect() } else { SETTINGS.to_vec() };
        for setting in &settings {
            match setting.name.as_str() {
                "about" => {
                    if let Some(text) = self.fixed_text(file, setting) {
                        self.program.tools[id].about = text;
                    }
                }
                "timeout" => {
                    if let Some(ms) = self.fixed_ms(&Cx::fixed(file), &setting.value, "`timeout`") {
                        self.program.tools[id].timeout_ms = ms;
                    }
                }
                "retries" => {
                    if let Some(n) = self.fixed_int(file, setting, 0, 10) {
                        self.program.tools[id].retries = u32::try_from(n).unwrap_or(0);
                    }
                }
                "idempotent" => {
                    if let Some(b) = self.fixed_bool(file, setting) {
                        self.program.tools[id].idempotent = b;
                    }
                }
                other if known.contains(&other) => {}
                _ => self.unknown_setting(setting, "a tool", &known),
            }
        }
        let damaged = item.has_errors();
        self.tool_action(&cx, item, id, &settings, name_place, damaged);
        self.tool_about(item, id, name_place, &settings, damaged);
    }

    fn tool_action(
        &mut self,
        cx: &Cx<'_>,
        item: &ast::Tool,
        id: ToolId,
        settings: &[Setting],
        place: Place,
        damaged: bool,
    ) {
        let find = |name: &str| settings.iter().find(|s| s.name == name);
        let builtin = find("builtin").filter(|_| self.scope(cx.file).is_some_and(FileScope::is_library));
        if let Some(setting) = builtin {
            if let ast::Expr::Name(name) = &setting.value
                && let Some(name) = name.name()
            {
                self.program.tools[id].action = ToolAction::Builtin(name.text());
            }
            return;
        }
        let Some(mut request) = self.request(cx, settings, Whose::Tool) else {
            if !damaged {
                self.error_hint(
                    Code::SettingRequired,
                    place,
                    format!("the tool `{}` does not say what it asks", self.program.tools[id].name),
                    format!(
                        "Add an address: {}.",
                        dgh_diag::suggest::any_of(
                            &METHODS.iter().map(|m| format!("`{m}: \"https://…\"`")).collect::<Vec<_>>()
                        )
                    ),
                );
            }
            return;
        };
        if let Some(setting) = find("result") {
            request.result = self.json_path(cx.file, setting);
            if item.result().is_none() && !damaged {
                let finding = Diagnostic::new(
                    Code::Conflict,
                    setting.place,
                    "`result` picks from an answer that the tool does not have",
                )
                .with_related(place, "no `-> type` after its parameters")
                .with_hint("Say what it answers: `tool name(…) -> type { … }`, or remove `result`.");
                self.report.push(finding);
            }
        }
        let tool = &self.program.tools[id];
        if let (true, false, false, Some(setting)) =
            (tool.retries > 0, tool.idempotent, request.method == Method::Get, find("retries"))
            && find("idempotent").is_none()
        {
            let at = Place { span: Span::at(setting.value_place.span.end), ..setting.value_place };
            let message = format!("a `{}` that is repeated may do its work twice", request.method);
            let finding = Diagnostic::new(Code::SettingRequired, setting.place, message)
                .with_hint(
                    "If repeating it does no harm, say so with `idempotent: true`. Else remove `retries`.",
                )
                .with_fix(Fix {
                    title: "Add `idempotent: true`".to_owned(),
                    edits: vec![Edit { place: at, text: ", idempotent: true".to_owned() }],
                    safe: false,
                });
            self.report.push(finding);
        }
        self.program.tools[id].action = ToolAction::Http(Box::new(request));
    }

    fn tool_about(
        &mut self,
        item: &ast::Tool,
        id: ToolId,
        place: Place,
        settings: &[Setting],
        damaged: bool,
    ) {
        let tool = &mut self.program.tools[id];
        if !tool.about.is_empty() {
            return;
        }
        if let Some(doc) = item.docs() {
            tool.about = doc.replace('\n', " ");
            return;
        }
        if damaged || settings.iter().any(|s| s.name == "about") {
            return;
        }
        let name = tool.name.clone();
        self.error_hint(
            Code::SettingRequired,
            place,
            format!("the tool `{name}` does not say what it is for"),
            "The model decides by this sentence: `about: \"Free appointments on one day.\"`.",
        );
    }
}
