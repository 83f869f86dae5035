//! `auth:`: credentials of a request, a provider of kind `auth` of the standard library.

use dgh_diag::Code;
use dgh_ir::ProviderKind;
use dgh_ir::program::Auth;
use dgh_syntax::ast;

use super::{Cx, Lower};

impl Lower<'_> {
    pub(crate) fn auth(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Option<Auth> {
        let place = self.at(cx, value);
        let (name, args) = match value {
            ast::Expr::Call(call) => match call.callee() {
                Some(ast::Expr::Name(name)) => (name.name()?, call.args()),
                _ => return self.bad_auth(cx, value),
            },
            ast::Expr::Name(name) => (name.name()?, None),
            _ => return self.bad_auth(cx, value),
        };
        let name_place = self.at(cx, &name);
        let text = name.text();
        let Some(params) = self.library.provider(ProviderKind::Auth, &text) else {
            let known = self.library.provider_names(ProviderKind::Auth);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let finding = self.unknown(
                Code::UnknownProvider,
                name_place,
                format!("there are no credentials of kind `{text}`"),
                &text,
                &known,
            );
            self.report.push(finding);
            return None;
        };
        let cx = cx.with_secrets();
        let args = self.args(&cx, args, &params, &format!("`{text}`"), name_place);
        let origin = self.report.origin(place);
        Some(Auth { kind: text, args, origin })
    }

    fn bad_auth(&mut self, cx: &Cx<'_>, value: &ast::Expr) -> Option<Auth> {
        let place = self.at(cx, value);
        self.error_hint(
            Code::WrongType,
            place,
            "`auth` says how a request proves who it is from",
            "Such as `auth: bearer(secret.API_KEY)` or `auth: header(\"X-Key\", secret.API_KEY)`.",
        );
        None
    }
}
