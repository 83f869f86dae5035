//! `env.NAME`, `secret.NAME`, `recording.NAME`, against the profiles of `dgh.toml`.

use std::collections::HashSet;

use dgh_diag::{Code, Diagnostic, Place};
use dgh_ir::{Expr, ExprKind, Kind, Origin, Type};

use super::{Cx, Lower};
use crate::input::{Input, Profile};
use crate::report::Report;

/// What was said about configuration so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Env {
    reported: HashSet<String>,
    /// Where a name of the configuration was read first while nobody could check it.
    unchecked: Option<Place>,
    /// Where a tool of an MCP server was named first while nobody could check it.
    pub(super) unlocked: Option<(Place, String)>,
}

impl Env {
    /// Says once what could not be checked.
    pub(super) fn report_unchecked(&self, input: &Input<'_>, report: &mut Report) {
        if let Some(place) = self.unchecked {
            let message = if input.config.profiles.is_none() {
                "without a dgh.toml, nobody can tell whether this value will be there"
            } else {
                "there is no profile in dgh.toml, so nobody can tell whether this value will be there"
            };
            let hint =
                "List the values of each profile in dgh.toml: `[profiles.dev.env]` with `NAME = \"value\"`.";
            report.push(Diagnostic::new(Code::NoConfig, place, message).with_hint(hint));
        }
        if let Some((place, server)) = &self.unlocked {
            let message =
                format!("the tools of `{server}` are not pinned in dgh.lock, so they were not checked");
            report.push(Diagnostic::new(Code::NotLocked, *place, message).with_hint("Run `dgh lock`."));
        }
    }
}

impl Lower<'_> {
    pub(crate) fn env_value(
        &mut self,
        name: &str,
        place: Place,
        origin: Origin,
        want: Option<&Type>,
    ) -> Expr {
        self.check_profiles(Code::UnknownEnv, "env", name, place, |p| &p.env);
        let kind = match want.map(|w| &w.kind) {
            // The runtime converts the text of the configuration to what its place needs.
            Some(kind) if is_scalar(kind) => kind.clone(),
            _ => Kind::Text,
        };
        Expr { kind: ExprKind::Env(name.to_owned()), ty: Type::of(kind), origin }
    }

    pub(crate) fn secret_value(
        &mut self,
        cx: &Cx<'_>,
        name: &str,
        whole: Place,
        place: Place,
        origin: Origin,
    ) -> Expr {
        if !cx.secrets {
            self.error_hint(
                Code::SecretMisplaced,
                whole,
                format!("`secret.{name}` may not stand here"),
                "Secrets stand only in `auth:`, `sign:` and `headers:`. For a value that is no secret, use `env.NAME`.",
            );
            return Expr::hole(origin);
        }
        self.check_profiles(Code::UnknownSecret, "secret", name, place, |p| &p.secrets);
        Expr { kind: ExprKind::Secret(name.to_owned()), ty: Type::of(Kind::Secret), origin }
    }

    pub(crate) fn recording_value(&mut self, name: &str, place: Place, origin: Origin) -> Expr {
        let input = self.input;
        if input.config.profiles.is_none() {
            self.env.unchecked.get_or_insert(place);
        } else if !input.config.recordings.contains(name) {
            let known: Vec<&str> = input.config.recordings.iter().map(String::as_str).collect();
            let mut finding = self.unknown(
                Code::UnknownRecording,
                place,
                format!("there is no recording `{name}` in dgh.toml"),
                name,
                &known,
            );
            if finding.hint.is_none() {
                finding = finding.with_hint(format!(
                    "Add it: `[recordings.{name}]` with `file = \"…\"` and `transcript = \"…\"`."
                ));
            }
            self.report.push(finding);
        }
        // What is played is written in the transcript, hence a text.
        Expr { kind: ExprKind::Recording(name.to_owned()), ty: Type::of(Kind::Text), origin }
    }

    fn check_profiles<'i>(
        &mut self,
        code: Code,
        root: &str,
        name: &str,
        place: Place,
        names: impl Fn(&Profile) -> &std::collections::BTreeSet<String>,
    ) where
        Self: 'i,
    {
        let input = self.input;
        let profiles = match &input.config.profiles {
            Some(profiles) if !profiles.is_empty() => profiles,
            _ => {
                self.env.unchecked.get_or_insert(place);
                return;
            }
        };
        let lacking: Vec<&str> =
            profiles.iter().filter(|(_, p)| !names(p).contains(name)).map(|(n, _)| n.as_str()).collect();
        if lacking.is_empty() || !self.env.reported.insert(format!("{root}.{name}")) {
            return;
        }
        let quoted = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(&lacking));
        let noun = if lacking.len() == 1 { "the profile" } else { "the profiles" };
        let verb = if lacking.len() == 1 { "has" } else { "have" };
        let known: Vec<&str> = profiles.values().flat_map(&names).map(String::as_str).collect();
        let message = format!("{noun} {quoted} {verb} no `{root}.{name}`");
        let section = if root == "env" { "env" } else { "secrets" };
        let hint = format!(
            "Add `{name}` to `[profiles.{}.{section}]` in dgh.toml.",
            lacking.first().copied().unwrap_or("dev")
        );
        let finding = if lacking.len() == profiles.len() {
            let mut finding = self.unknown(code, place, message, name, &known);
            // The slip may be in dgh.toml as well.
            finding.fixes.iter_mut().for_each(|fix| fix.safe = false);
            finding
        } else {
            Diagnostic::new(code, place, message)
        };
        let finding = if finding.fixes.is_empty() { finding.with_hint(hint) } else { finding };
        self.report.push(finding);
    }
}

fn is_scalar(kind: &Kind) -> bool {
    !matches!(
        kind,
        Kind::Record(_)
            | Kind::List(_)
            | Kind::Range(_)
            | Kind::Secret
            | Kind::Nothing
            | Kind::Hole
            | Kind::Json
    )
}
