//! `llm:`, `stt:`, `tts:`, `judge:`, `realtime:`: providers with their arguments, and the defaults
//! of `dgh.toml`.

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::program::{Models, Param, ProviderUse};
use dgh_ir::{Expr, ExprKind, Kind, ProviderKind, Type, Value};
use dgh_syntax::ast;

use super::settings::Setting;
use super::{Cx, Lower};
use crate::input::DefaultModel;

/// The settings that name models, with what they take.
pub(crate) const MODELS: &[(&str, ProviderKind)] = &[
    ("llm", ProviderKind::Llm),
    ("stt", ProviderKind::Stt),
    ("tts", ProviderKind::Tts),
    ("judge", ProviderKind::Llm),
    ("realtime", ProviderKind::Realtime),
];

impl Lower<'_> {
    /// Reads a setting if it names models.
    pub(crate) fn model_setting(&mut self, cx: &Cx<'_>, setting: &Setting, models: &mut Models) -> bool {
        let Some((_, kind)) = MODELS.iter().find(|(name, _)| *name == setting.name) else { return false };
        let found = self.providers(cx, *kind, setting);
        match setting.name.as_str() {
            "llm" => models.llm = found,
            "stt" => models.stt = found,
            "tts" => models.tts = found,
            "judge" => models.judge = found,
            _ => models.realtime = found,
        }
        true
    }

    fn providers(&mut self, cx: &Cx<'_>, kind: ProviderKind, setting: &Setting) -> Vec<ProviderUse> {
        match &setting.value {
            ast::Expr::List(list) => {
                let uses: Vec<ProviderUse> =
                    list.elements().filter_map(|e| self.provider(cx, kind, &e, setting)).collect();
                if list.elements().next().is_none() {
                    self.error_hint(
                        Code::WrongType,
                        setting.value_place,
                        format!("`{}` names no model", setting.name),
                        "Remove the setting to use the default.",
                    );
                }
                uses
            }
            one => self.provider(cx, kind, one, setting).into_iter().collect(),
        }
    }

    fn provider(
        &mut self,
        cx: &Cx<'_>,
        kind: ProviderKind,
        value: &ast::Expr,
        setting: &Setting,
    ) -> Option<ProviderUse> {
        let place = self.at(cx, value);
        let (name, args) = match value {
            ast::Expr::Call(call) => match call.callee() {
                Some(ast::Expr::Name(name)) => (name.name()?, call.args()),
                _ => return self.no_provider(kind, place, setting),
            },
            ast::Expr::Name(name) => (name.name()?, None),
            _ => return self.no_provider(kind, place, setting),
        };
        let name_place = self.at(cx, &name);
        let text = name.text();
        let Some(params) = self.library.provider(kind, &text) else {
            self.unknown_provider(kind, &text, name_place, setting);
            return None;
        };
        // A key of one's own may stand among the arguments.
        let args = self.args(&cx.with_secrets(), args, &params, &format!("`{text}`"), name_place);
        let limits = self.library.limits(kind, &text);
        for (name, value) in &args {
            let at = self.report.place(value.origin);
            self.within_limits(&limits, &params, &format!("`{text}`"), (name, value), at);
        }
        let origin = self.report.origin(place);
        Some(ProviderUse { provider: self.use_provider(kind, &text)?, args, origin })
    }

    fn no_provider(&mut self, kind: ProviderKind, place: Place, setting: &Setting) -> Option<ProviderUse> {
        let example = match kind {
            ProviderKind::Stt => "deepgram(\"nova-3\")",
            ProviderKind::Tts => "cartesia(\"sonic-2\")",
            ProviderKind::Realtime => "openai(\"gpt-realtime\")",
            _ => "openai(\"gpt-4.1-mini\")",
        };
        self.error_hint(
            Code::WrongType,
            place,
            format!("`{}` takes a provider with its model", setting.name),
            format!("Such as `{}: {example}`.", setting.name),
        );
        None
    }

    fn unknown_provider(&mut self, kind: ProviderKind, name: &str, place: Place, setting: &Setting) {
        let others: Vec<&str> = self.library.kinds_of(name).into_iter().map(ProviderKind::name).collect();
        let known = self.library.provider_names(kind);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let message = format!("`{}` has no provider `{name}`", setting.name);
        let finding = if others.is_empty() {
            let finding = self.unknown(Code::UnknownProvider, place, message, name, &known);
            if finding.fixes.is_empty() && kind == ProviderKind::Llm {
                finding.with_hint(
                    "A server that speaks OpenAI's protocol is `openai_compatible(\"model\", url: \"…\")`.",
                )
            } else {
                finding
            }
        } else {
            let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&others));
            Diagnostic::new(Code::UnknownProvider, place, message)
                .with_hint(format!("`{name}` stands behind {names}."))
        };
        self.report.push(finding);
    }

    /// What an agent uses that says nothing: the defaults of `dgh.toml`.
    pub(crate) fn default_models(&mut self, models: &mut Models) {
        let defaults = self.input.config.defaults.clone();
        let own_realtime = !models.realtime.is_empty();
        let own_cascade = !models.llm.is_empty() || !models.stt.is_empty();
        if own_realtime {
            if models.tts.is_empty() {
                models.tts = self.defaults(ProviderKind::Tts, &defaults.tts);
            }
            return;
        }
        if !own_cascade && !defaults.realtime.is_empty() {
            models.realtime = self.defaults(ProviderKind::Realtime, &defaults.realtime);
        } else {
            if models.llm.is_empty() {
                models.llm = self.defaults(ProviderKind::Llm, &defaults.llm);
            }
            if models.stt.is_empty() {
                models.stt = self.defaults(ProviderKind::Stt, &defaults.stt);
            }
            if models.judge.is_empty() {
                models.judge = self.defaults(ProviderKind::Llm, &defaults.judge);
            }
        }
        if models.tts.is_empty() {
            models.tts = self.defaults(ProviderKind::Tts, &defaults.tts);
        }
    }

    /// Checks the defaults once, whether or not an agent uses them.
    pub(crate) fn check_defaults(&mut self) {
        let defaults = &self.input.config.defaults;
        let kinds = [
            (ProviderKind::Llm, &defaults.llm),
            (ProviderKind::Stt, &defaults.stt),
            (ProviderKind::Tts, &defaults.tts),
            (ProviderKind::Llm, &defaults.judge),
            (ProviderKind::Realtime, &defaults.realtime),
        ];
        for (kind, models) in kinds {
            for model in models {
                self.check_default(kind, model);
            }
        }
        if let (Some(_), Some(model)) =
            (defaults.realtime.first(), defaults.llm.first().or(defaults.stt.first()))
        {
            let place = model.place;
            self.error_hint(
                Code::Conflict,
                place,
                "a speech-to-speech model needs no `llm` and no `stt` beside it",
                "Remove one of the two defaults.",
            );
        }
    }

    fn check_default(&mut self, kind: ProviderKind, model: &DefaultModel) {
        let Some(params) = self.library.provider(kind, &model.provider) else {
            let known = self.library.provider_names(kind);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let mut finding = self.unknown(
                Code::UnknownProvider,
                model.place,
                format!("there is no provider `{}` of kind `{kind}`", model.provider),
                &model.provider,
                &known,
            );
            // The place is the whole table, not the name.
            finding.fixes.clear();
            self.report.push(finding);
            return;
        };
        let names: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
        let limits = self.library.limits(kind, &model.provider);
        for (name, value, place) in &model.args {
            let Some(param) = params.iter().find(|p| p.name == *name) else {
                let mut finding = self.unknown(
                    Code::UnknownParameter,
                    *place,
                    format!("`{}` has no parameter `{name}`", model.provider),
                    name,
                    &names,
                );
                finding.fixes.clear();
                self.report.push(finding);
                continue;
            };
            let Some((value, ty)) = default_arg(param, value) else {
                let wanted = crate::types::describe(&self.program, &param.ty.kind);
                self.error(
                    Code::BadConfig,
                    *place,
                    format!("`{name}` of `{}` takes {wanted}", model.provider),
                );
                continue;
            };
            let value = Expr { kind: value, ty, origin: dgh_ir::Origin::NONE };
            let what = format!("`{}`", model.provider);
            self.within_limits(&limits, &params, &what, (name, &value), *place);
        }
        let missing: Vec<String> = params
            .iter()
            .filter(|p| {
                p.default.is_none() && !p.ty.optional && !model.args.iter().any(|(n, ..)| *n == p.name)
            })
            .map(|p| p.name.clone())
            .collect();
        if !missing.is_empty() {
            self.missing_args(model.place, &missing, &format!("`{}`", model.provider));
        }
    }

    fn defaults(&mut self, kind: ProviderKind, models: &[DefaultModel]) -> Vec<ProviderUse> {
        let mut uses = Vec::new();
        for model in models {
            let Some(params) = self.library.provider(kind, &model.provider) else { continue };
            let Some(provider) = self.use_provider(kind, &model.provider) else { continue };
            let origin = self.report.origin(model.place);
            let arg = |param: &Param| {
                let (_, value, _) = model.args.iter().find(|(n, ..)| *n == param.name)?;
                Some((param.name.clone(), default_arg(param, value)?))
            };
            let args = params.iter().filter_map(arg).map(|(name, kind_and_ty)| {
                let (kind, ty) = kind_and_ty;
                (name, Expr { kind, ty, origin })
            });
            uses.push(ProviderUse { provider, args: args.collect(), origin });
        }
        uses
    }
}

/// An argument of `dgh.toml` as a value of a parameter.
fn default_arg(param: &Param, value: &serde_json::Value) -> Option<(ExprKind, Type)> {
    use crate::types::literal;
    use serde_json::Value as Json;
    let ty = param.ty.clone().required();
    let constant = |value: Value| Some((ExprKind::Const(value), ty.clone()));
    match (&ty.kind, value) {
        (Kind::Text, Json::String(s)) => constant(Value::Text(s.clone())),
        (Kind::Url, Json::String(s)) if literal::is_url(s) => constant(Value::Text(s.clone())),
        (Kind::Duration, Json::String(s)) => constant(Value::Duration(literal::duration(s)?)),
        (Kind::Bool, Json::Bool(b)) => constant(Value::Bool(*b)),
        (Kind::Int, Json::Number(n)) => constant(Value::Int(n.as_i64()?)),
        (Kind::Number, Json::Number(n)) => constant(Value::Number(literal::decimal(&n.to_string())?)),
        // A secret is named, never given.
        (Kind::Secret, Json::String(s)) => {
            Some((ExprKind::Secret(s.strip_prefix("secret.")?.to_owned()), ty.clone()))
        }
        (Kind::List(item), Json::Array(items)) if item.kind == Kind::Text => {
            let texts = items.iter().map(|i| i.as_str().map(|s| Value::Text(s.to_owned())));
            constant(Value::List(texts.collect::<Option<_>>()?))
        }
        _ => None,
    }
}
