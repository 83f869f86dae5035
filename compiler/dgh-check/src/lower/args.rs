//! Parameters where they are declared, and arguments where they are given.

use std::collections::HashMap;

use dgh_diag::{Code, Place};
use dgh_ir::program::Param;
use dgh_ir::{Expr, Type};
use dgh_syntax::ast::{self, AstNode as _};

use super::{Cx, Lower, plain};

/// An argument for the parameter with this index.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) index: usize,
    pub(crate) value: ast::Expr,
}

impl Lower<'_> {
    /// The parameters of a tool, flow, provider or event, the fields of a group.
    pub(crate) fn params(
        &mut self,
        file: usize,
        params: impl Iterator<Item = ast::Param>,
        of: &str,
    ) -> Vec<Param> {
        let mut found: Vec<Param> = Vec::new();
        let mut seen: HashMap<String, Place> = HashMap::new();
        for param in params {
            let Some(name) = param.name() else { continue };
            let place = self.place(file, name.span());
            if let Some(first) = seen.get(&name.text()) {
                self.duplicate(place, *first, &format!("`{}` of {of}", name.text()));
                continue;
            }
            seen.insert(name.text(), place);
            let ty = param.ty().map_or_else(Type::hole, |t| self.ty(file, &t));
            let default = param
                .default_value()
                .map(|d| self.value(&Cx::fixed(file), &d, &ty, &format!("`{}`", name.text())));
            let origin = self.report.origin(place);
            found.push(Param { name: name.text(), ty, default, about: plain(param.about()), origin });
        }
        found
    }

    /// Which argument goes to which parameter: first those without a name, in order, then by name.
    /// `what` names what is called, for messages: "`find_slots`".
    /// Also whether one of them went nowhere, so that nothing is to be said of those that lack.
    pub(crate) fn match_args(
        &mut self,
        cx: &Cx<'_>,
        args: Option<ast::ArgList>,
        names: &[&str],
        what: &str,
    ) -> (Vec<Given>, bool) {
        let mut given: Vec<Given> = Vec::new();
        let mut lost = false;
        let mut next = 0;
        let mut too_many = false;
        for arg in args.into_iter().flat_map(|a| a.args()) {
            let Some(value) = arg.value() else { continue };
            let index = match arg.name() {
                None => {
                    while given.iter().any(|g| g.index == next) {
                        next += 1;
                    }
                    if next >= names.len() {
                        let place = self.at(cx, &arg);
                        if !too_many {
                            too_many = true;
                            self.too_many(place, names, what);
                        }
                        self.lost_value(cx, &value);
                        continue;
                    }
                    next += 1;
                    next - 1
                }
                Some(name) => match names.iter().position(|n| *n == name.text()) {
                    Some(index) => index,
                    None => {
                        let text = name.text();
                        let place = self.at(cx, &name);
                        let finding = self.unknown(
                            Code::UnknownParameter,
                            place,
                            format!("{what} has no parameter `{text}`"),
                            &text,
                            names,
                        );
                        let finding = if finding.hint.is_none() {
                            finding.with_hint(if names.is_empty() {
                                "It takes nothing.".to_owned()
                            } else {
                                format!(
                                    "It takes {}.",
                                    dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(names))
                                )
                            })
                        } else {
                            finding
                        };
                        self.report.push(finding);
                        self.lost_value(cx, &value);
                        lost = true;
                        continue;
                    }
                },
            };
            if given.iter().any(|g| g.index == index) {
                let place = self.at(cx, &arg);
                let name = names.get(index).copied().unwrap_or_default();
                self.error_hint(
                    Code::Duplicate,
                    place,
                    format!("`{name}` of {what} is given twice"),
                    "Remove one of the two.",
                );
                continue;
            }
            given.push(Given { index, value });
        }
        (given, lost)
    }

    /// Arguments of what did not resolve.
    pub(crate) fn lost_args(&mut self, cx: &Cx<'_>, args: Option<ast::ArgList>) {
        for value in args.into_iter().flat_map(|a| a.args()).filter_map(|a| a.value()) {
            self.lost_value(cx, &value);
        }
    }

    fn too_many(&mut self, place: Place, names: &[&str], what: &str) {
        let takes = match names {
            [] => "nothing".to_owned(),
            names => dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(names)),
        };
        self.error_hint(
            Code::TooManyArguments,
            place,
            format!("{what} takes no further value"),
            format!("It takes {takes}."),
        );
    }

    /// Arguments by parameter name, in the order of the parameters. `place` is where a missing one
    /// is reported.
    pub(crate) fn args(
        &mut self,
        cx: &Cx<'_>,
        args: Option<ast::ArgList>,
        params: &[Param],
        what: &str,
        place: Place,
    ) -> Vec<(String, Expr)> {
        let names: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
        let damaged = args.as_ref().is_some_and(ast::AstNode::has_errors);
        let (given, lost) = self.match_args(cx, args, &names, what);
        let mut values: Vec<Option<Expr>> = params.iter().map(|_| None).collect();
        for argument in given {
            let Some(param) = params.get(argument.index) else { continue };
            let value = self.value(cx, &argument.value, &param.ty, &format!("`{}` of {what}", param.name));
            if let Some(slot) = values.get_mut(argument.index) {
                *slot = Some(value);
            }
        }
        let lacking = |(p, v): (&Param, &Option<Expr>)| {
            (v.is_none() && p.default.is_none() && !p.ty.optional).then(|| p.name.clone())
        };
        let missing: Vec<String> = params.iter().zip(&values).filter_map(lacking).collect();
        if !missing.is_empty() && !damaged && !lost {
            self.missing_args(place, &missing, what);
        }
        params.iter().zip(values).filter_map(|(p, v)| Some((p.name.clone(), v?))).collect()
    }

    pub(crate) fn missing_args(&mut self, place: Place, missing: &[String], what: &str) {
        let names = dgh_diag::suggest::all_of(&dgh_diag::suggest::quoted(missing));
        let hint = format!("Give it: `{}: …`.", missing.first().map_or("x", String::as_str));
        self.error_hint(Code::MissingArgument, place, format!("{what} needs {names}"), hint);
    }
}
