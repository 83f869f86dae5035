//! What the standard library declares for every program: providers, events, groups of settings.

use std::collections::HashMap;
use std::rc::Rc;

use dgh_ir::program::{Param, Provider, ProviderId, ProviderKind};
use dgh_ir::{ExprKind, Value};
use dgh_syntax::ast::{self, AstNode as _, LiteralValue};
use indexmap::IndexMap;

use super::limits::{Limit, limits};
use crate::lower::{Cx, Lower};

/// The declarations of the prelude.
#[derive(Debug, Default)]
pub(crate) struct Library {
    providers: Vec<Declared>,
    by_name: HashMap<(ProviderKind, String), usize>,
    events: IndexMap<String, Rc<[Param]>>,
    groups: IndexMap<String, Rc<[Param]>>,
    /// The last handlers, with their file.
    pub(crate) handlers: Vec<(usize, ast::Anywhere)>,
}

#[derive(Debug)]
struct Declared {
    provider: Provider,
    params: Rc<[Param]>,
    limits: Rc<[Limit]>,
    /// Its id, once a program uses it.
    id: Option<ProviderId>,
}

impl Library {
    /// The parameters of an event.
    pub(crate) fn event(&self, name: &str) -> Option<Rc<[Param]>> {
        self.events.get(name).cloned()
    }

    pub(crate) fn event_names(&self) -> Vec<String> {
        self.events.keys().cloned().collect()
    }

    /// The settings of a group.
    pub(crate) fn group(&self, name: &str) -> Option<Rc<[Param]>> {
        self.groups.get(name).cloned()
    }

    pub(crate) fn group_names(&self) -> Vec<String> {
        self.groups.keys().cloned().collect()
    }

    /// The parameters of a provider.
    pub(crate) fn provider(&self, kind: ProviderKind, name: &str) -> Option<Rc<[Param]>> {
        let index = self.by_name.get(&(kind, name.to_owned()))?;
        Some(self.providers.get(*index)?.params.clone())
    }

    /// How far the numbers of a provider may go.
    pub(crate) fn limits(&self, kind: ProviderKind, name: &str) -> Rc<[Limit]> {
        let declared = self.by_name.get(&(kind, name.to_owned())).and_then(|i| self.providers.get(*i));
        declared.map_or_else(|| Rc::from([]), |d| d.limits.clone())
    }

    /// Names of the providers of a kind, in the order of their declaration.
    pub(crate) fn provider_names(&self, kind: ProviderKind) -> Vec<String> {
        self.providers.iter().filter(|p| p.provider.kind == kind).map(|p| p.provider.name.clone()).collect()
    }

    /// The kinds that have a provider of this name.
    pub(crate) fn kinds_of(&self, name: &str) -> Vec<ProviderKind> {
        self.providers.iter().filter(|p| p.provider.name == name).map(|p| p.provider.kind).collect()
    }
}

impl Lower<'_> {
    /// The id of a provider in the program; providers that nothing uses are not in it.
    pub(crate) fn use_provider(&mut self, kind: ProviderKind, name: &str) -> Option<ProviderId> {
        let index = *self.library.by_name.get(&(kind, name.to_owned()))?;
        let declared = self.library.providers.get_mut(index)?;
        if declared.id.is_none() {
            declared.id = Some(self.program.providers.push(declared.provider.clone()));
        }
        declared.id
    }
}

/// Reads the declarations. Types are known by now.
pub(crate) fn read(lower: &mut Lower<'_>) {
    let items = std::mem::take(&mut lower.library_items);
    for (file, item) in items {
        match item {
            ast::Item::Provider(item) => read_provider(lower, file, &item),
            ast::Item::Event(item) => {
                let params = lower.params(file, item.params(), "an event");
                if let Some(name) = item.name() {
                    lower.library.events.insert(name.text(), params.into());
                }
            }
            ast::Item::Group(item) => {
                let fields = lower.params(file, item.fields(), "a group");
                if let Some(name) = item.name() {
                    lower.library.groups.insert(name.text(), fields.into());
                }
            }
            ast::Item::Anywhere(item) => lower.library.handlers.push((file, item)),
            _ => {}
        }
    }
}

fn read_provider(lower: &mut Lower<'_>, file: usize, item: &ast::Provider) {
    let (Some(kind), Some(name)) = (item.kind(), item.name()) else { return };
    let Some(kind) = ProviderKind::parse(&kind.text()) else {
        let known: Vec<&str> = ProviderKind::ALL.iter().map(|k| k.name()).collect();
        let place = lower.place(file, kind.span());
        let finding = lower.unknown(
            dgh_diag::Code::UnknownProvider,
            place,
            format!("there is no kind of provider `{}`", kind.text()),
            &kind.text(),
            &known,
        );
        lower.report.push(finding);
        return;
    };
    let params = lower.params(file, item.params(), "a provider");
    let settings = lower.settings(file, item.config());
    let settings =
        settings.into_iter().filter_map(|s| Some((s.name, declared_value(lower, file, &s.value)?))).collect();
    let provider = Provider { kind, name: name.text(), params: params.clone(), settings };
    lower.library.by_name.insert((kind, name.text()), lower.library.providers.len());
    lower.library.providers.push(Declared {
        provider,
        params: params.into(),
        limits: limits(item.params()).into(),
        id: None,
    });
}

/// The value of a setting of a declaration: a literal, or a bare word, which is a text.
fn declared_value(lower: &mut Lower<'_>, file: usize, value: &ast::Expr) -> Option<Value> {
    match value {
        ast::Expr::Name(name) => Some(Value::Text(name.name()?.text())),
        ast::Expr::Literal(literal) if literal.value() == Some(LiteralValue::None) => Some(Value::None),
        other => match lower.expr(&Cx::fixed(file), other, None).kind {
            ExprKind::Const(value) => Some(value),
            _ => None,
        },
    }
}
